"""An answer graded by measurements."""

from dataclasses import dataclass
from typing import Any

from regraft.core import OptionError, Recommendation
from regraft.scenarios.questions import SCENARIOS
from regraft.scenarios.scenario import Scenario
from regraft.scenarios.verdict import Verdict, verdict_of


@dataclass(frozen=True)
class Graded:
    """One scenario with its verdict.

    Attributes:
        scenario: What was asked.
        answer: The key that was given; None = it was only shown.
        verdict: What the engine found.
        advice: The ranking behind it.
        source: Where the measurements come from, in words.
    """

    scenario: Scenario
    answer: str | None
    verdict: Verdict
    advice: Recommendation
    source: str

    @property
    def right(self) -> bool | None:
        """Whether the answer is right; None without one."""
        return None if self.answer is None else self.answer in self.verdict.right

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        scenario = self.scenario
        return {
            "number": scenario.number,
            "title": scenario.title,
            "question": scenario.question,
            "choices": [
                {"key": one.key, "text": one.text, "said": self.verdict.of_each[one.key]} for one in scenario.answers
            ],
            "answer": self.answer,
            "right": self.right,
            "right_choices": list(self.verdict.right),
            "why": list(self.verdict.why),
            "lesson": scenario.lesson,
            "measured_on": scenario.ground.said,
            "source": self.source,
            "recommended": self.advice.to_json()["recommended"],
            "rules": self.advice.to_json()["rules"],
        }


def graded(scenario: Scenario, answer: str | None, advice: Recommendation, source: str) -> Graded:
    """The scenario's verdict by a recommendation, and the answer held against it."""
    return Graded(scenario, answer, verdict_of(scenario, advice), advice, source)


def scenario_numbered(number: int) -> Scenario:
    """The scenario of that number.

    Raises:
        OptionError: There is none.
    """
    found = next((one for one in SCENARIOS if one.number == number), None)
    if found is None:
        raise OptionError(
            f"--answer {number}=…: there is no scenario {number}; they are numbered 1 to {len(SCENARIOS)}"
        )
    return found


def answer_given(word: str) -> tuple[Scenario, str]:
    """`1=b` as the scenario and the choice's key.

    Raises:
        OptionError: It is not of that form, or names what there is not.
    """
    number, sign, key = word.partition("=")
    if not sign or not number.strip().isdecimal():
        raise OptionError(f"--answer {word}: write the number of the question and the choice's letter, such as 1=b")
    scenario, key = scenario_numbered(int(number)), key.strip().lower()
    keys = [one.key for one in scenario.answers]
    if key not in keys:
        raise OptionError(f"--answer {word}: question {scenario.number} has the choices {', '.join(keys)}")
    return scenario, key
