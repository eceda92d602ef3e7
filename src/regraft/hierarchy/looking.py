"""One picture or text of one's own, stage by stage: where a stage answers to it, and what a probe there makes of it."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from regraft.activations.pairs import stage_features
from regraft.backbones.contract import Backbone
from regraft.core import ImageSample, OptionError, Sample, Task, TextSample
from regraft.hierarchy.maxima import as_maps, layout_of
from regraft.measuring.measure import Report, observe
from regraft.measuring.subject import Subject
from regraft.running.resources import Resources

Pixels = NDArray[np.uint8]

MOST_SAMPLES = 400  # that the probes learn from: a look is to take a moment
MOST_WORDS = 40  # of a text: each costs a pass through the trunk
STRENGTH = 0.1
CHANNELS = 3
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class StageLook:
    """One stage's view of one sample.

    Attributes:
        name: The stage's name.
        shares: (C,) that the stage's probe gives each class.
        falls: (W,) of a text: by how much the likeliest class's share falls without each word; empty for a picture.
        mean: (h, w) uint8, the mean absolute activation over channels, at full contrast; None without positions.
        channels: The channels that answer most strongly, as (number, (h, w) uint8).
    """

    name: str
    shares: tuple[float, ...]
    falls: tuple[float, ...] = ()
    mean: Pixels | None = None
    channels: tuple[tuple[int, Pixels], ...] = ()


@dataclass(frozen=True)
class Look:
    """One sample through the stages.

    Attributes:
        classes: Class names, in the order of shares.
        label: The likeliest class by the last stage.
        stages: Input side first.
        words: Of a text.
        view: (H, W, 3) uint8, the picture as the trunk reads it; None for a text.
    """

    classes: tuple[str, ...]
    label: str
    stages: tuple[StageLook, ...]
    words: tuple[str, ...] = ()
    view: Pixels | None = None


@dataclass(frozen=True)
class StageProbes:
    """A linear probe of every stage, learnt from a task's training samples.

    Attributes:
        backbone: The trunk.
        classes: Class names.
        reads: What of a sample the probes take: `pooled`, or `pairs`.
        probes: One for each stage.
    """

    backbone: Backbone
    classes: tuple[str, ...]
    reads: str
    probes: tuple[Pipeline, ...]


def stage_probes(
    task: Task,
    backbone: str | Backbone,
    *,
    resources: Resources | None = None,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
    progress: Report | None = None,
) -> StageProbes:
    """Probes to look with; only training samples are read.

    Raises:
        OptionError: The task has no classes.
    """
    if task.kind not in {"image-classification", "text-classification"}:
        raise OptionError(f"{task.name}: a look needs one class for each sample, and this is {task.kind}")
    subject = observe(task, backbone, resources=resources, most_samples=most_samples, seed=seed, progress=progress)
    pairs = subject.stages[-1].shape[1] > subject.backbone.outline.stages[-1].width
    probes = tuple(_probe(features, subject) for features in subject.stages)
    return StageProbes(subject.backbone, task.classes, "pairs" if pairs else "pooled", probes)


def _probe(features: NDArray[np.float32], subject: Subject) -> Pipeline:
    found = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, tol=1e-3, max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return found.fit(features, subject.labels)


def look(probes: StageProbes, sample: Sample) -> Look:
    """The sample stage by stage."""
    words = tuple(WORD.findall(sample.text))[:MOST_WORDS] if isinstance(sample, TextSample) else ()
    variants: list[Sample] = [sample]
    if isinstance(sample, TextSample):
        variants += [replace(sample, text=" ".join(_without(words, place)), words=()) for place in range(len(words))]
    features, _ = stage_features(probes.backbone, variants, None, reads=probes.reads, precision="fp32")
    shares = [
        _shares(probe, values, len(probes.classes)) for probe, values in zip(probes.probes, features, strict=True)
    ]
    best = int(shares[-1][0].argmax())
    views = _views(probes.backbone, sample) if isinstance(sample, ImageSample) else None
    stages = tuple(
        StageLook(
            stage.name,
            tuple(shares[number][0].tolist()),
            tuple((shares[number][0, best] - shares[number][1:, best]).tolist()),
            *(views[1][number] if views is not None else ()),
        )
        for number, stage in enumerate(probes.backbone.outline)
    )
    return Look(probes.classes, probes.classes[best], stages, words, None if views is None else views[0])


def _without(words: Sequence[str], place: int) -> list[str]:
    return [*words[:place], *words[place + 1 :]]


def _shares(probe: Pipeline, features: NDArray[np.float32], classes: int) -> NDArray[np.float64]:
    """(N, C) shares; a class that the probe has not met gets 0."""
    shares = np.zeros((len(features), classes))
    shares[:, probe.classes_] = probe.predict_proba(features)
    return shares


def _views(backbone: Backbone, sample: ImageSample) -> tuple[Pixels, list[tuple[Any, ...]]]:
    """The picture as it is read, and for each stage its mean activation and strongest channels."""
    layout = layout_of(backbone)
    backbone.module.cpu().eval()
    prepared = backbone.preprocess(sample)
    found: list[tuple[Any, ...]] = []
    with torch.inference_mode():
        state = backbone.collate([prepared])
        for stage in range(len(backbone.outline)):
            state = backbone.run(state, stage, stage + 1)
            maps = as_maps(state[0], layout)
            if maps is None or maps.shape[2] * maps.shape[3] == 1:
                found.append((None, ()))
                continue
            values = maps[0].float().numpy()
            strongest = values.max(axis=(1, 2)).argsort()[::-1][:CHANNELS]
            chosen = tuple((int(one), _contrasted(values[one])) for one in strongest)
            found.append((_contrasted(np.abs(values).mean(axis=0)), chosen))
    return prepared.permute(1, 2, 0).contiguous().numpy(), found


def _contrasted(values: NDArray[np.float32]) -> Pixels:
    """Values spread over all shades, the lowest black."""
    low, high = float(values.min()), float(values.max())
    return (255 * (values - low) / max(high - low, 1e-12)).round().astype(np.uint8)
