"""How near a task is to what a backbone was pre-trained on."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from regraft.backbones.contract import Backbone
from regraft.core import BackboneError, Measurement, Sample, Task, TextSample
from regraft.measuring.baseline import raw_probe
from regraft.measuring.distances import aligned, class_distance, frechet, mmd, proxy_a
from regraft.measuring.domain import calibrated, domain_distance
from regraft.measuring.probes import Z80, paired_half
from regraft.measuring.source_statistics import SourceStatistics, shipped_statistics, source_statistics
from regraft.measuring.subject import Subject
from regraft.running.cross_validation import Doubles

MOST_TEXTS = 2000


def affinity(subject: Subject) -> Iterator[Measurement]:
    """How much more a probe of the trunk's features finds than one of tiny pictures or word counts."""
    last, raw = subject.last_probe, raw_probe(subject)
    what = "12 x 12 pixels" if subject.backbone.kind == "image" else "word counts"
    yield Measurement(
        "probe/raw", raw.value, raw.low, raw.high, source=f"the same probe of {what}, with no trunk at all"
    )
    gain = last.value - raw.value
    half = paired_half(last, raw)
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


def fragmentation(backbone: Backbone, samples: Sequence[Sample]) -> Iterator[Measurement]:
    """Into how many pieces the tokenizer cuts a word: words of its own training data it keeps whole."""
    preprocess: Any = backbone.preprocess
    texts = [sample.text for sample in samples[:MOST_TEXTS] if isinstance(sample, TextSample)]
    words = [re.findall(r"\w+", text) for text in texts]
    pieces = [
        len(one)
        for one in preprocess.tokenizer([" ".join(some) for some in words], add_special_tokens=False)["input_ids"]
    ]
    counts = np.array([len(some) for some in words])
    value = sum(pieces) / max(int(counts.sum()), 1)
    spread = float((np.array(pieces) - value * counts).std()) / max(float(counts.mean()), 1e-9)
    half = Z80 * spread / np.sqrt(len(texts))
    yield Measurement(
        "similarity/fragmentation",
        value,
        value - half,
        value + half,
        source="pieces that the tokenizer makes of a word: above 1.5, many words are strange to the backbone",
    )


def similarity(subject: Subject, source: Task | SourceStatistics | None) -> Iterator[Measurement]:
    """All that tells near from far, and at the end the one number that sums it up, where that is calibrated."""
    found: dict[str, Measurement] = {}
    for one in _measures(subject, source):
        found[one.name.removeprefix("similarity/")] = one
        yield one
    distance = domain_distance(found, subject.backbone.kind) if calibrated(subject.backbone) else None
    if distance is not None:
        yield distance


def _measures(subject: Subject, source: Task | SourceStatistics | None) -> Iterator[Measurement]:
    if subject.original is not None:
        yield from confidence(subject.original)
    if subject.backbone.kind == "text":
        yield from fragmentation(subject.backbone, subject.samples)
    if subject.can_probe:
        yield from affinity(subject)
    known = source if isinstance(source, SourceStatistics) else None
    if isinstance(source, Task):
        known = source_statistics(subject.backbone, source, resources=subject.resources, seed=subject.seed)
    try:
        known = known or shipped_statistics(subject.backbone)
    except BackboneError as error:  # what else is measured does not need them
        yield Measurement(
            "similarity/frechet", math.nan, source=f"distances from its source were not measured: {error}"
        )
    if known is not None and subject.stages[-1].shape[1] == len(known.mean):
        yield from distances(subject, known)


def distances(subject: Subject, source: SourceStatistics) -> Iterator[Measurement]:
    """Distances between the source's features and the task's."""
    pair = aligned(source, subject.stages[-1])
    of = f"from {source.data}, {source.samples} samples"
    rng = np.random.default_rng(subject.seed)
    yield Measurement(
        "similarity/proxy-a", *proxy_a(pair, rng), source=f"0 = a linear model cannot tell it {of}; 2 = it always can"
    )
    yield Measurement("similarity/mmd", *mmd(pair, rng), source=f"squared maximum mean discrepancy {of}, cubic kernel")
    yield Measurement(
        "similarity/frechet", *frechet(pair, rng), source=f"Frechet distance {of}, in units of its variance"
    )
    if subject.classes and len(source.class_means) > 1:
        yield Measurement(
            "similarity/class-means",
            class_distance(pair, subject.labels),
            source=f"how far class means lie {of}; 1 = as its own classes from each other",
        )
