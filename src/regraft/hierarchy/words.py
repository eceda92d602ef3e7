"""What a look at a hierarchy comes to, in sentences."""

from regraft.core.words import metric_said, points
from regraft.hierarchy.found import Probe

ALIKE = 0.9  # CKA above which two stages say the same


def sentences(found: Probe) -> tuple[str, ...]:
    """Where the task is read best, what the rest of the trunk adds, and whether features serve at all."""
    return tuple(line for line in (_where(found), _together(found), _raw(found), _alike(found)) if line)


def _where(found: Probe) -> str:
    last, best, said = found.stages[-1], found.best, metric_said(found.metric)
    measured = f"{said} {last.probe_accuracy:.3f} ({last.low:.3f} to {last.high:.3f})"
    gain = found.evidence.get("headroom/stage")
    if gain is None or best.name == last.name:
        return f"The last stage, {last.name}, serves the task best: a linear probe of it reaches {measured}."
    ahead = f"{best.name} is {points(gain.value)} points ahead of the last stage, {last.name}, which reaches {measured}"
    if gain.low > 0:
        return f"The task is read best before the end: {ahead}. A head on {best.name} is worth trying."
    return f"{ahead[0].upper()}{ahead[1:]}; the difference is within what chance gives."


def _together(found: Probe) -> str:
    gain = found.together - found.best.probe_accuracy
    if not gain > 0.01:
        return f"All stages together add nothing: {found.together:.3f}."
    return f"All stages together reach {found.together:.3f}, {points(gain)} points above the best single one."


def _raw(found: Probe) -> str:
    gain = found.evidence.get("similarity/affinity")
    if gain is None:
        return ""
    said = f"A probe with no trunk at all reaches {found.raw:.3f}"
    if gain.low > 0 or (gain.low != gain.low and gain.value > 0):
        return f"{said}: pre-training is worth {points(gain.value)} points here before anything is tuned."
    return f"{said}: frozen features of the last stage are no better here."


def _alike(found: Probe) -> str:
    same = [one.name for one in found.stages[:-1] if one.similarity_to_last > ALIKE]
    if not same:
        return ""
    return f"{', '.join(same)} {'sees' if len(same) == 1 else 'see'} the samples much as the last stage does (CKA above {ALIKE})."
