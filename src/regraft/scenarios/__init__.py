"""Questions of transfer learning, answered by the engine on real data."""

from regraft.scenarios.grading import Graded, answer_given, graded, scenario_numbered
from regraft.scenarios.questions import SCENARIOS
from regraft.scenarios.scenario import Answer, Ground, Scenario

__all__ = ["SCENARIOS", "Answer", "Graded", "Ground", "Scenario", "answer_given", "graded", "scenario_numbered"]
