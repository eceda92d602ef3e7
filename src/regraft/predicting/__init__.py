"""From a trunk and a head to answers that a person can use, for every kind of task."""

from regraft.predicting.answers import Predicted, evaluated, predicted
from regraft.predicting.network import Fitted, class_probabilities

__all__ = ["Fitted", "Predicted", "class_probabilities", "evaluated", "predicted"]
