"""How good a model is: metrics, intervals, calibration, paired differences."""

from regraft.evaluating.answers import evaluate_answers
from regraft.evaluating.entities import evaluate_tags
from regraft.evaluating.metrics import Evaluation, evaluate_probabilities
from regraft.evaluating.quantities import evaluate_quantities

__all__ = ["Evaluation", "evaluate_answers", "evaluate_probabilities", "evaluate_quantities", "evaluate_tags"]
