"""Evidence in, ranked choices out."""

from collections.abc import Callable, Sequence

from regraft.core import Choice, Evidence, Recommendation, TaskSummary
from regraft.recommending.estimate import Estimate, estimated
from regraft.recommending.offers import Offer
from regraft.recommending.prior import Prior, shipped_prior
from regraft.recommending.ranking import ranked
from regraft.recommending.reasons import choice_reasons, recommendation_reasons
from regraft.recommending.rules import rule_checks
from regraft.recommending.situation import Situation

Cost = Callable[[Offer], float]


def recommend(
    summary: TaskSummary,
    metric: str,
    labels: int,
    evidence: Sequence[Evidence],
    offers: Sequence[Offer],
    cost: Cost,
    *,
    prior: Prior | None = None,
    seconds: float = 0.0,
) -> Recommendation:
    """Every offer with what it is expected to reach and to cost, the best first, and why.

    Args:
        summary: Counts of the task.
        metric: The task's metric.
        labels: Labelled samples of the training and validation parts.
        evidence: One for each backbone.
        offers: Of all backbones; at least one.
        cost: Predicted wall time of `fit`, in seconds.
        prior: What is believed before anything is tried; None = what the package ships.
        seconds: Wall time that the evidence took.
    """
    prior = shipped_prior() if prior is None else prior
    situations = {one.backbone: Situation(summary, labels, one) for one in evidence}
    estimates = [estimated(offer, situations[offer.backbone], prior, cost(offer)) for offer in offers]
    order = ranked(estimates)
    first = situations[order[0].offer.backbone]
    ours = [one for one in order if one.offer.backbone == first.evidence.backbone]
    return Recommendation(
        metric,
        tuple(_choice(one, situations[one.offer.backbone], metric) for one in order),
        tuple(evidence),
        recommendation_reasons(order, list(situations.values()), first, metric),
        rule_checks(first, ours),
        seconds,
    )


def _choice(one: Estimate, situation: Situation, metric: str) -> Choice:
    offer = one.offer
    return Choice(
        strategy=offer.strategy,
        backbone=offer.backbone,
        boundary=offer.boundary,
        head=offer.plan.head,
        epochs=offer.epochs,
        learning_rate=offer.learning_rate,
        expected=one.expected,
        low=one.low,
        high=one.high,
        cost_seconds=one.cost_seconds,
        reasons=choice_reasons(one, situation, metric),
    )
