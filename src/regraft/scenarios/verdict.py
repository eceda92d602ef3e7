"""Which choice is right: the engine's own ranking, asked by the scenario's criterion.

| criterion | the right choice covers |
| --- | --- |
| `expected` | the first of the ranking: the best expected result, of ties the cheapest |
| `safest` | the one whose interval ends highest at its lower end; of those within two points of it, one that saves much |
| `keeps-source` | the best of those whose plan leaves every weight of the trunk as it was |
| `backbone` | the first of the ranking's backbone; `either` where the other is a tie |
| `head` | the head that the engine grafts for this kind of task |
| `claim` | the claim that the measurements bear out |
"""

from collections.abc import Sequence
from dataclasses import dataclass

from regraft.core import Choice, Evidence, Recommendation
from regraft.core.plan import ALL_STAGES
from regraft.core.words import metric_said, points, seconds_said
from regraft.recommending.ranking import TIE, saves
from regraft.scenarios.claims import Finding, held_claim
from regraft.scenarios.scenario import Answer, Scenario

NEAR_BEST = 0.02  # points at the lower end that a careful person gives up for what is much cheaper


@dataclass(frozen=True)
class Verdict:
    """What is right, and why.

    Attributes:
        right: Keys of the right choices; empty where no choice covers what was found.
        why: Sentences with figures.
        of_each: For each choice's key, one sentence.
    """

    right: tuple[str, ...]
    why: tuple[str, ...]
    of_each: dict[str, str]


def verdict_of(scenario: Scenario, advice: Recommendation) -> Verdict:
    """The scenario's verdict by a recommendation made from its data."""
    if scenario.criterion == "claim":
        return _by_claim(scenario, advice)
    if scenario.criterion == "head":
        return _by_head(scenario, advice)
    if scenario.criterion == "backbone":
        return _by_backbone(scenario, advice)
    target = _target(scenario, advice)
    outline = advice.evidence[0].outline
    last = outline.stages[-1].name
    right = tuple(one.key for one in scenario.answers if _covers(one, target, last))
    of_each = {one.key: _strategy_said(one, advice, target, last) for one in scenario.answers}
    return Verdict(right, (_target_said(scenario, target, advice.metric), *advice.reasons), of_each)


def _target(scenario: Scenario, advice: Recommendation) -> Choice:
    """The choice of the ranking that the criterion asks for."""
    if scenario.criterion == "keeps-source":
        # Only a head on frozen features leaves every weight; adapters are merged into them.
        return max(
            (one for one in advice.choices if one.strategy == "feature-extraction"), key=lambda one: one.expected
        )
    if scenario.criterion == "safest":
        surest = max(advice.choices, key=lambda one: (one.low, -one.cost_seconds))
        near = [one for one in advice.choices if surest.low - one.low <= NEAR_BEST]
        cheap = [one for one in near if saves(one.cost_seconds, surest.cost_seconds)]
        return max(cheap, key=lambda one: one.low, default=surest)
    return advice.best


def _called(choice: Choice) -> str:
    """A choice with its place in the trunk."""
    if choice.boundary == "none":
        return choice.strategy
    if choice.strategy == "feature-extraction":
        return f"{choice.strategy} on {'all stages' if choice.boundary == ALL_STAGES else f'stage {choice.boundary}'}"
    return f"{choice.strategy} after stage {choice.boundary}"


def _expected_said(choice: Choice, metric: str) -> str:
    return (
        f"expected to reach {metric_said(metric)} {choice.expected:.3f} "
        f"(80 % interval {choice.low:.3f} to {choice.high:.3f}) in {seconds_said(choice.cost_seconds)}"
    )


def _target_said(scenario: Scenario, target: Choice, metric: str) -> str:
    """What the criterion has found."""
    found = f"{_called(target)} is {_expected_said(target, metric)}."
    opening = {
        "safest": "The one that is surest to reach much, by the lower end of its interval: ",
        "keeps-source": "Of what leaves the trunk as it was, the best: ",
    }.get(scenario.criterion, "First of the ranking: ")
    return opening + found


def _covers(answer: Answer, choice: Choice, last: str) -> bool:
    """Whether a choice of the scenario stands for one of the ranking."""
    if choice.strategy not in answer.strategies:
        return False
    if not answer.boundaries:
        return True
    place = {"all": "all", last: "last"}.get(choice.boundary, "earlier")
    return place in answer.boundaries


def _strategy_said(answer: Answer, advice: Recommendation, target: Choice, last: str) -> str:
    """What the ranking says of one choice."""
    covered = [one for one in advice.choices if _covers(answer, one, last)]
    if not covered:
        return "This was not among what could be done here."
    if target in covered:
        return f"{_called(target)} is {_expected_said(target, advice.metric)}: the one to take."
    best = max(covered, key=lambda one: one.expected)
    lost = target.expected - best.expected
    versus = "as much as" if abs(lost) < 0.0005 else f"{points(lost)} points {'less' if lost > 0 else 'more'} than"
    return f"{_called(best)} is {_expected_said(best, advice.metric)}: {versus} {_called(target)}."


def _by_claim(scenario: Scenario, advice: Recommendation) -> Verdict:
    found: dict[str, Finding] = {one.key: held_claim(one.claim, advice) for one in scenario.answers if one.claim}
    right = tuple(key for key, finding in found.items() if finding.holds)
    of_each = {key: finding.said for key, finding in found.items()}
    return Verdict(right, tuple(finding.said for finding in found.values() if finding.holds), of_each)


def _by_head(scenario: Scenario, advice: Recommendation) -> Verdict:
    heads = sorted({one.head for one in advice.choices})
    reached = _probe_said(advice.evidence)
    of_each = {
        one.key: "regraft grafts it for this kind of task."
        if set(one.heads) & set(heads)
        else "regraft grafts no such head for one class per sentence."
        for one in scenario.answers
    }
    right = tuple(one.key for one in scenario.answers if advice.best.head in one.heads)
    return Verdict(right, (f"For one class per sentence regraft grafts {' or '.join(heads)}. {reached}",), of_each)


def _by_backbone(scenario: Scenario, advice: Recommendation) -> Verdict:
    best: dict[str, Choice] = {}
    for choice in advice.choices:
        if choice.backbone not in best or choice.expected > best[choice.backbone].expected:
            best[choice.backbone] = choice
    first = advice.best.backbone
    rivals = [choice for name, choice in best.items() if name != first]
    tie = any(best[first].expected - choice.expected <= TIE for choice in rivals)
    said = {
        name: f"the best on {_short(name)} is expected to reach {metric_said(advice.metric)} {choice.expected:.3f}"
        for name, choice in best.items()
    }
    gap = min((best[first].expected - choice.expected for choice in rivals), default=0.0)
    apart = f"{points(gap)} points apart, and up to {points(TIE)} would be a tie"
    of_each = {}
    for one in scenario.answers:
        name = next((full for full in best if _short(full) == _short(one.backbone)), None)
        of_each[one.key] = f"{said[name]}." if name else f"They are {apart}."
    wanted = "either" if tie else _short(first)
    right = tuple(one.key for one in scenario.answers if _short(one.backbone) == wanted)
    return Verdict(right, (f"{'; '.join(said.values())}.".capitalize(), _probe_said(advice.evidence)), of_each)


def _short(name: str) -> str:
    """The last part of a path."""
    return name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]


def _probe_said(evidence: Sequence[Evidence]) -> str:
    """What probes of the last stages reach."""
    said = []
    for one in evidence:
        probe = one.get(f"probe/{one.outline.stages[-1].name}")
        if probe is not None:
            said.append(f"{_short(one.backbone)} {probe.value:.3f} ({probe.low:.3f} to {probe.high:.3f})")
    return f"Cross-validated probes of the last stage: {'; '.join(said)}." if said else ""
