"""Everything that can be measured of a task on a backbone without training the trunk."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.core import Evidence, Measurement, Task
from regraft.measuring.curve import curve
from regraft.measuring.hierarchy import all_stages, last_stage, other_stages, stage_similarity
from regraft.measuring.panel import panel, source_probabilities
from regraft.measuring.probes import folds_of, probe, standardised
from regraft.measuring.profile import label_noise, profile
from regraft.measuring.similarity import affinity, confidence
from regraft.measuring.subject import Subject, drawn_rows, subject_of
from regraft.running import resolve_device
from regraft.running.resources import Resources

Report = Callable[[str, int, int], None]

MOST_SAMPLES = 5000  # of the training part; more would narrow no interval that matters
PILOT = 32  # samples by which the time of the rest is foretold
FEATURES_SHARE = 0.6  # of a time budget


def measure(
    task: Task,
    backbone: str | Backbone = "auto",
    *,
    source: Task | None = None,
    resources: Resources | None = None,
    budget_seconds: float | None = None,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
    progress: Report | None = None,
) -> Evidence:
    """Profile, probes, scores, similarity: from one pass of the frozen trunk over the training part.

    No validation or test sample is read.

    Args:
        task: What `open_task` returned.
        backbone: As `--backbone` takes it, or a loaded backbone.
        source: Data that the backbone was pre-trained on, where they are at hand.
        resources: Device, precision, cache.
        budget_seconds: Stop after about so long; the cheap and telling measurements come first.
        most_samples: Draw so many training samples where there are more, each class in its share.
        seed: Of draws and folds.
        progress: Called with (what, done, total).

    Raises:
        InputError: The backbone cannot be had, or reads something else than the task holds.
    """
    resources = resources or Resources()
    begun = time.perf_counter()
    if isinstance(backbone, str):
        kind = "image" if task.kind.startswith("image") else "text"
        backbone = load_backbone(backbone, kind=kind, offline=resources.offline)  # type: ignore[arg-type]
    subject = _subject(task, backbone, resources, budget_seconds, most_samples, seed)
    taken: list[Measurement] = []
    before = begun
    for one in _all(subject, source):
        now = time.perf_counter()
        taken.append(replace(one, seconds=now - before))
        before = now
        if progress is not None:
            progress(one.name, len(taken), 0)
        if budget_seconds is not None and now - begun > budget_seconds:
            break
    return Evidence(task.name, backbone.passport.source, backbone.outline, tuple(taken))


def _subject(
    task: Task, backbone: Backbone, resources: Resources, budget: float | None, most: int, seed: int
) -> Subject:
    """The training samples with their features; as many as a time budget lets through the trunk."""
    device = resolve_device(resources.device)
    rows = drawn_rows(task, most, seed)
    if budget is not None and len(rows) > 2 * PILOT:
        few = subject_of(task, backbone, rows[:: max(len(rows) // PILOT, 1)][:PILOT], resources, seed, device)
        each = few.extraction.seconds / PILOT if few.extraction.computed else 0.0
        affordable = int(FEATURES_SHARE * budget / max(each, 1e-9))
        rows = drawn_rows(task, max(affordable, 2 * PILOT), seed) if affordable < len(rows) else rows
    return subject_of(task, backbone, rows, resources, seed, device)


def _all(subject: Subject, source: Task | None) -> Iterator[Measurement]:
    """Every measurement, the telling ones first."""
    extraction = subject.extraction
    yield Measurement(
        "cost/features",
        extraction.seconds,
        source=f"seconds for {extraction.samples} samples through the frozen trunk, {extraction.computed} of them anew "
        f"({extraction.engine})",
    )
    yield from profile(subject)
    kind = subject.task.kind
    if kind in {"token-classification", "question-answering"}:
        yield from stage_similarity(subject)
        return
    folds = folds_of(subject.labels, subject.groups, subject.seed) if subject.classes else []
    last = probe(standardised(subject.stages[-1]), subject.targets, subject.classes, folds)
    yield from last_stage(subject, last)
    if subject.classes:
        yield label_noise(last.held, subject.labels)
    original = source_probabilities(subject.backbone, subject.last, offline=subject.resources.offline)
    if original is not None:
        yield from confidence(original)
    yield from affinity(subject, folds, last)
    yield from other_stages(subject, folds, last)
    yield from panel(subject, original)
    yield from all_stages(subject, folds)
    if subject.classes:
        yield from curve(subject, folds, last)
    yield from stage_similarity(subject)
