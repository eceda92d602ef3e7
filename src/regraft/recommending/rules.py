"""The four classical rules of transfer learning, each held against what was measured.

They are those of the CS231n course notes ("Transfer Learning", Stanford) and of most textbooks: how many labels there
are, and how near the task is to what the backbone was pre-trained on, decide what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from regraft.core import RuleCheck
from regraft.core.words import points
from regraft.recommending.estimate import Estimate
from regraft.recommending.offers import PARTIAL, PROBE, SCRATCH
from regraft.recommending.ranking import TIE
from regraft.recommending.situation import Situation


@dataclass(frozen=True)
class Rule:
    """One rule of thumb: whether it speaks of few labels and of a far domain, and what it advises."""

    few: bool
    far: bool
    says: str

    @property
    def situation(self) -> str:
        """In words."""
        return f"{'few' if self.few else 'many'} labels, {'far' if self.far else 'near'} domain"

    def advises(self, one: Estimate) -> bool:
        """Whether an offer is what the rule advises."""
        offer = one.offer
        if self.few and not self.far:
            return offer.strategy == PROBE and offer.usual
        if self.few:
            return offer.strategy == PROBE and not offer.usual
        if self.far:
            return offer.strategy not in {PROBE, PARTIAL}
        return offer.strategy not in {PROBE, SCRATCH}


RULES_OF_THUMB = (
    Rule(few=True, far=False, says="freeze the trunk and train a head on its last features"),
    Rule(few=False, far=False, says="fine-tune the whole network or its last stages"),
    Rule(few=True, far=True, says="train a head on features of earlier stages"),
    Rule(few=False, far=True, says="fine-tune the whole network, or train it from scratch"),
)


def rule_checks(situation: Situation, order: Sequence[Estimate]) -> tuple[RuleCheck, ...]:
    """Each rule against the ranking of one backbone's offers."""
    return tuple(_checked(rule, situation, order) for rule in RULES_OF_THUMB)


def _checked(rule: Rule, situation: Situation, order: Sequence[Estimate]) -> RuleCheck:
    here = _here(situation)
    far = situation.far
    advised = [one for one in order if rule.advises(one)]
    if far is None or (rule.few, rule.far) != (situation.few, far) or not advised:
        why = "how far the domain is could not be measured" if far is None else f"here: {here}"
        return RuleCheck(rule.situation, rule.says, applies=False, agrees=None, because=f"Does not apply; {why}.")
    taken = max(advised, key=lambda one: one.expected)
    best = max(order, key=lambda one: one.expected)
    lost = best.expected - taken.expected
    agrees = rule.advises(order[0]) or lost <= TIE
    if rule.advises(order[0]):
        because = f"{order[0].offer.arm} is recommended, expected to reach {order[0].expected:.3f}; {here}."
    elif agrees:
        because = (
            f"its {taken.offer.arm} is expected to reach {taken.expected:.3f}, within half a point of the best, "
            f"{best.offer.arm}; {here}."
        )
    else:
        because = (
            f"{best.offer.arm} is expected to reach {best.expected:.3f}, {points(lost)} points more than the rule's "
            f"{taken.offer.arm} ({_ground(best)}); {here}."
        )
    return RuleCheck(rule.situation, rule.says, applies=True, agrees=agrees, because=because)


def _here(situation: Situation) -> str:
    """The situation with its figures."""
    summary = situation.summary
    count = f"{situation.per_class:.0f} labels per class" if situation.classified else f"{summary.samples} samples"
    if situation.distance is not None:
        return f"{count}, distance {situation.distance:.2f} (0 near, 1 far)"
    if situation.far is None:
        return count
    best = situation.best_earlier if situation.far else situation.stages[-1]
    return f"{count}, best stage by the probe {best}"


def _ground(one: Estimate) -> str:
    """What an estimate rests on."""
    return f"by {one.belief}" if one.measured is None else f"measured: {one.measured.name}"
