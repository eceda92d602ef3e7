"""How near a task is to what a backbone was pre-trained on."""

from collections.abc import Iterator

import numpy as np

from regraft.core import Measurement
from regraft.measuring.baseline import raw_probe
from regraft.measuring.probes import Z80, Doubles, Folds, Probed
from regraft.measuring.subject import Subject


def affinity(subject: Subject, folds: Folds, last: Probed) -> Iterator[Measurement]:
    """How much more a probe of the trunk's features finds than one of tiny pictures or word counts."""
    raw = raw_probe(subject, folds)
    what = "12 x 12 pixels" if subject.backbone.kind == "image" else "word counts"
    yield Measurement(
        "probe/raw", raw.value, raw.low, raw.high, source=f"the same probe of {what}, with no trunk at all"
    )
    gain = last.value - raw.value
    # Paired over samples, so that what both find hard does not count.
    half = Z80 * float((last.hits - raw.hits).std()) / np.sqrt(len(last.hits)) if subject.classes else float("nan")
    yield Measurement(
        "similarity/affinity",
        gain,
        gain - half,
        gain + half,
        source="probe of the last stage less that of the raw input",
    )


def confidence(original: Doubles) -> Iterator[Measurement]:
    """How sure the original head is of the task's inputs: what is like its own data it knows well."""
    surest = original.max(axis=1)
    half = Z80 * float(surest.std()) / np.sqrt(len(surest))
    yield Measurement(
        "similarity/confidence",
        float(surest.mean()),
        float(surest.mean()) - half,
        float(surest.mean()) + half,
        source="mean probability that the original head gives its own best class",
    )
