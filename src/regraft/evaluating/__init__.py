"""How good a model is: metrics, intervals, calibration, paired differences."""

from regraft.evaluating.metrics import Evaluation, evaluate_probabilities

__all__ = ["Evaluation", "evaluate_probabilities"]
