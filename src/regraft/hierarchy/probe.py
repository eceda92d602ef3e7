"""The verb: a backbone's feature hierarchy on a task, measured and made visible."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from regraft.backbones.contract import Backbone
from regraft.core import Evidence, Measurement, OptionError, Task
from regraft.hierarchy.filters import first_filters
from regraft.hierarchy.found import Probe, StageFinding
from regraft.hierarchy.patches import StagePatches, strongest_patches
from regraft.hierarchy.report import write_report
from regraft.hierarchy.texts import Anchor, anchors
from regraft.hierarchy.words import sentences
from regraft.measuring.cka import cka_matrix
from regraft.measuring.measure import Report, observe, timed
from regraft.measuring.profile import profile
from regraft.measuring.similarity import affinity
from regraft.measuring.stages import all_stages, every_stage, stage_similarity, transferability
from regraft.measuring.subject import Subject, drawn_rows
from regraft.running.resources import Resources

KINDS = ("image-classification", "text-classification", "text-regression")
MOST_SAMPLES = 3000
MOST_PICTURES = 120  # whose patches are shown: they go through the trunk once more, without an engine
FEWEST = 8


def probe(
    task: Task,
    backbone: str | Backbone = "auto",
    *,
    out: str | Path | None = None,
    resources: Resources | None = None,
    pictures: int = MOST_PICTURES,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
    progress: Report | None = None,
) -> Probe:
    """How well each stage serves the task, how general it is, and what it looks for. Only training samples are read.

    Args:
        task: What `open_task` returned; classification, or texts with quantities.
        backbone: As `--backbone` takes it, or a loaded backbone.
        out: Folder for `report.html`; None = a new temporary folder.
        resources: Device, precision, cache.
        pictures: Of how many training pictures patches are shown; 0 = none.
        most_samples: Draw so many training samples where there are more.
        seed: Of draws and folds.
        progress: Called with (what, done, total).

    Raises:
        InputError: The task is of another kind, or the backbone reads something else.

    Example:
        >>> import regraft
        >>> regraft.probe(regraft.open_task("flowers/"), "resnet18").best.name  # doctest: +SKIP
    """
    if task.kind not in KINDS:
        raise OptionError(
            f"{task.name}: probe needs one label or quantity per sample, and this is {task.kind}; recommend takes it"
        )
    if len(task.train) < FEWEST:
        raise OptionError(
            f"{task.name}: {len(task.train)} training samples are too few to probe; give at least {FEWEST}"
        )
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="regraft-probe-"))
    _writable(folder)
    begun = time.perf_counter()
    subject = observe(task, backbone, resources=resources, most_samples=most_samples, seed=seed, progress=progress)
    if not subject.can_probe:
        raise OptionError(
            f"{task.name}: no class has two training samples that may be parted, so that nothing can be held out; "
            "give at least two of some classes"
        )
    taken = tuple(timed(_measured(subject), begun, progress))
    evidence = Evidence(task.name, subject.backbone.passport.source, subject.backbone.outline, taken)
    found = _found(subject, evidence)
    if progress is not None:
        progress("pictures of the hierarchy", 0, 0)
    found = replace(found, patches=_patches(subject, pictures), anchors=_anchors(subject))
    return replace(found, report=write_report(folder, found))


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--out {folder}: cannot be made ({error.strerror}); name another folder") from error


def _measured(subject: Subject) -> Iterator[Measurement]:
    yield from profile(subject)
    yield from every_stage(subject)
    yield from affinity(subject)
    yield from all_stages(subject)
    yield from transferability(subject)
    yield from stage_similarity(subject)


def _found(subject: Subject, evidence: Evidence) -> Probe:
    """The measurements, stage by stage."""

    def value(name: str) -> float:
        one = evidence.get(name)
        return float("nan") if one is None else one.value

    stages = []
    for stage in subject.backbone.outline:
        held = evidence.get(f"probe/{stage.name}")
        low, high = (float("nan"),) * 2 if held is None else (held.low, held.high)
        logme = evidence.get(f"transferability/{stage.name}")
        stages.append(
            StageFinding(
                name=stage.name,
                probe_accuracy=value(f"probe/{stage.name}"),
                low=low,
                high=high,
                transferability=value(f"transferability/{stage.name}"),
                similarity_to_last=value(f"cka/{stage.name}"),
                train_accuracy=value(f"probe-train/{stage.name}"),
                width=stage.width,
                transferability_low=float("nan") if logme is None else logme.low,
                transferability_high=float("nan") if logme is None else logme.high,
            )
        )
    counts = np.bincount(subject.labels) if subject.classes else np.zeros(1)
    found = Probe(
        task=subject.task.name,
        backbone=evidence.backbone,
        metric=subject.task.metric,
        classes=subject.task.classes,
        samples=len(subject.samples),
        stages=tuple(stages),
        together=value("probe/all"),
        raw=value("probe/raw"),
        chance=float(counts.max() / counts.sum()) if subject.classes else float("nan"),
        cka=cka_matrix(subject.stages),
        filters=first_filters(subject.backbone) if subject.backbone.kind == "image" else None,
        patches=(),
        anchors=(),
        evidence=evidence,
        sentences=(),
    )
    return replace(found, sentences=sentences(found))


def _patches(subject: Subject, pictures: int) -> tuple[StagePatches, ...]:
    if subject.backbone.kind != "image" or not pictures:
        return ()
    rows: Sequence[int] = drawn_rows(subject.task, pictures, subject.seed)
    samples = [subject.task.train.samples[row] for row in rows]
    return strongest_patches(subject.backbone, samples, [subject.task.train.targets[row] for row in rows])


def _anchors(subject: Subject) -> tuple[Anchor, ...]:
    return anchors(subject) if subject.backbone.kind == "text" and subject.classes else ()
