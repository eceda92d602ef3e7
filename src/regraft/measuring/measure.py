"""Everything that can be measured of a task on a backbone without training the trunk."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.core import BackboneError, Evidence, Measurement, Task
from regraft.measuring.curve import curve
from regraft.measuring.panel import panel
from regraft.measuring.probes import held_out
from regraft.measuring.profile import label_noise, profile
from regraft.measuring.similarity import similarity
from regraft.measuring.source_statistics import SourceStatistics
from regraft.measuring.stages import all_stages, last_stage, other_stages, stage_similarity
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
    source: Task | SourceStatistics | None = None,
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
        source: Data that the backbone was pre-trained on, or their statistics; default: what is beside its weights.
        resources: Device, precision, cache.
        budget_seconds: Stop after about so long; the cheap and telling measurements come first.
        most_samples: Draw so many training samples where there are more, each class in its share.
        seed: Of draws and folds.
        progress: Called with (what, done, total).

    Raises:
        InputError: The backbone cannot be had, or reads something else than the task holds.
    """
    begun = time.perf_counter()
    options = {"resources": resources, "most_samples": most_samples, "seed": seed, "progress": progress}
    subject = observe(task, backbone, budget_seconds=budget_seconds, **options)  # type: ignore[arg-type]
    taken: list[Measurement] = []
    for one in timed(_all(subject, source), begun, progress):
        taken.append(one)
        if budget_seconds is not None and time.perf_counter() - begun > budget_seconds:
            break
    return Evidence(task.name, subject.backbone.passport.source, subject.backbone.outline, tuple(taken))


def timed(measurements: Iterable[Measurement], begun: float, progress: Report | None) -> Iterator[Measurement]:
    """Each with the seconds since the one before, the first with those since `begun`."""
    before = begun
    for count, one in enumerate(measurements, 1):
        now = time.perf_counter()
        if progress is not None:
            progress("measurements", count, 0)
        yield replace(one, seconds=now - before)
        before = now


def observe(
    task: Task,
    backbone: str | Backbone,
    *,
    resources: Resources | None = None,
    budget_seconds: float | None = None,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
    progress: Report | None = None,
) -> Subject:
    """The training samples as a backbone sees them; arguments as `measure`."""
    resources = resources or Resources()
    if isinstance(backbone, str):
        kind: Literal["image", "text"] = "image" if task.kind.startswith("image") else "text"
        backbone = load_backbone(backbone, kind=kind, offline=resources.offline)
    reports = backbone.kind
    if (reports == "image") != task.kind.startswith("image"):
        raise BackboneError(f"--backbone {backbone.passport.source} reads {reports}s, {task.name} is {task.kind}")
    rows = drawn_rows(task, most_samples, seed)
    if budget_seconds is not None and len(rows) > 2 * PILOT:
        few = _features(task, backbone, rows[:: max(len(rows) // PILOT, 1)][:PILOT], resources, seed, None)
        each = few.extraction.seconds / PILOT if few.extraction.computed else 0.0
        affordable = int(FEATURES_SHARE * budget_seconds / max(each, 1e-9))
        rows = drawn_rows(task, max(affordable, 2 * PILOT), seed) if affordable < len(rows) else rows
    return _features(task, backbone, rows, resources, seed, progress)


def _features(
    task: Task, backbone: Backbone, rows: Sequence[int], resources: Resources, seed: int, progress: Report | None
) -> Subject:
    device = resolve_device(resources.device)
    shown = None if progress is None else functools.partial(progress, "features")
    return subject_of(task, backbone, rows, resources, seed=seed, device=device, progress=shown)


def _all(subject: Subject, source: Task | SourceStatistics | None) -> Iterator[Measurement]:
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
    if not subject.can_probe:
        yield from similarity(subject, source)
        yield from panel(subject)
        yield from stage_similarity(subject)
        return
    yield from last_stage(subject)
    if subject.classes:
        seen = held_out(subject.folds)
        yield label_noise(subject.last_probe.held[seen], subject.labels[seen])
    yield from similarity(subject, source)
    yield from other_stages(subject)
    yield from all_stages(subject)
    yield from panel(subject)
    yield from curve(subject)
    yield from stage_similarity(subject)
