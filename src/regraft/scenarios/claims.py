"""What can be said of transfer learning as such, each claim held against measurements."""

from collections.abc import Callable
from dataclasses import dataclass

from regraft.core import Evidence, Recommendation
from regraft.scenarios.scenario import Claim

WORSE_ON = "blood_cells training from scratch reached 0.861 and a head on frozen features of the last stage 0.838"
FEWER = 0.5  # share of the labels with which the probe must be as good for "far fewer" to hold


@dataclass(frozen=True)
class Finding:
    """Whether a claim holds here, and the figures."""

    holds: bool
    said: str


def held_claim(claim: Claim, advice: Recommendation) -> Finding:
    """The claim against a recommendation and its evidence."""
    return CLAIMS[claim](advice)


def _fewer_labels(advice: Recommendation) -> Finding:
    """The probe's learning curve against what training from scratch reaches, or is expected to, with all labels."""
    evidence = advice.evidence[0]
    scratch = _scratch(advice)
    if scratch is None:
        return Finding(holds=False, said="Training from scratch was not measured.")
    value, how, labels = scratch
    curve = sorted((int(name), one.value) for name, one in evidence.under("curve").items())
    enough, reached = next(((count, reached) for count, reached in curve if reached >= value), (None, 0.0))
    if enough is None:
        return Finding(
            holds=False,
            said=f"Training from scratch {how} {value:.3f}, and a head on frozen features less with every number of labels.",
        )
    return Finding(
        enough <= FEWER * labels,
        f"A head on frozen features reaches {reached:.3f} with {enough} labels; training from scratch {how} {value:.3f} with "
        f"{labels:.0f}: "
        f"pre-training is worth at least {labels / enough:.1f} times the labels.",
    )


def _smaller_network(advice: Recommendation) -> Finding:
    outline = advice.evidence[0].outline
    return Finding(
        holds=False,
        said=f"Both have the same {outline.parameters:,} parameters: what is transferred is their values, not their number.",
    )


def _never_worse(advice: Recommendation) -> Finding:
    """No single task could bear it out, and runs of a far one have shown that it is not so."""
    scratch = next((one for one in advice.choices if one.strategy == "from-scratch"), None)
    probe = next((one for one in advice.choices if one.strategy == "feature-extraction"), None)
    if scratch is None or probe is None:
        return Finding(holds=False, said="Training from scratch was not measured.")
    here = "better" if probe.expected > scratch.expected else "not better"
    return Finding(
        holds=False,
        said=f"Here it is expected to be {here} ({probe.expected:.3f} against {scratch.expected:.3f}), and not always: on "
        f"{WORSE_ON} (benchmarks/README.md).",
    )


def _no_labels(advice: Recommendation) -> Finding:
    evidence = advice.evidence[0]
    curve = sorted((int(name), one.value) for name, one in evidence.under("curve").items())
    classes = evidence.get("profile/classes")
    chance = "" if classes is None else f"; with none it could only guess, {1 / classes.value:.3f}"
    if not curve:
        return Finding(holds=False, said=f"A head must learn which class is which{chance}.")
    (few, low), (many, high) = curve[0], curve[-1]
    return Finding(
        holds=False, said=f"The head learns from labels: {low:.3f} with {few} of them, {high:.3f} with {many}{chance}."
    )


def _scratch(advice: Recommendation) -> tuple[float, str, float] | None:
    """What training from scratch reaches, how that is known, and with how many labels."""
    evidence = advice.evidence[0]
    trial, samples = evidence.get("trial/from-scratch"), evidence.get("trial-samples/from-scratch")
    if trial is not None and samples is not None:
        return trial.value, "reached", samples.value
    scratch = next((one for one in advice.choices if one.strategy == "from-scratch"), None)
    return None if scratch is None else (scratch.expected, "is expected to reach", _samples(evidence))


def _samples(evidence: Evidence) -> float:
    found = evidence.get("profile/samples")
    return 0.0 if found is None else found.value


CLAIMS: dict[Claim, Callable[[Recommendation], Finding]] = {
    "fewer-labels": _fewer_labels,
    "smaller-network": _smaller_network,
    "never-worse": _never_worse,
    "no-labels": _no_labels,
}
