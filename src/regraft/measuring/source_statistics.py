"""What must be known of a backbone's source data to tell how near other data are, without the data themselves.

A safetensors file beside the weights: mean, spread and correlations of the last stage's pooled features, class means,
and a few hundred rows of features. It holds no picture and no text.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from regraft.activations.extract import pooled_features
from regraft.backbones import load_backbone
from regraft.backbones.bundled import bundled_folder
from regraft.backbones.contract import Backbone
from regraft.core import BackboneError, Task
from regraft.measuring.subject import drawn_rows
from regraft.running import resolve_device
from regraft.running.resources import Resources

FILE = "source-statistics.safetensors"
LAYOUT = "1"
MOST_SAMPLES = 5000  # more change a mean or a correlation by little
KEPT_ROWS = 512
SMALLEST_SPREAD = 1e-6

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class SourceStatistics:
    """Pooled features of the last stage on source data.

    Attributes:
        data: What the source data are, in words.
        samples: N, of which it was computed.
        mean: (D,).
        covariance: (D, D).
        class_means: (K, D); empty where classes are unknown.
        rows: (M, D) features of some of the samples.
    """

    data: str
    samples: int
    mean: Doubles
    covariance: Doubles
    class_means: Doubles
    rows: Doubles


def source_statistics(
    backbone: str | Backbone,
    task: Task,
    *,
    resources: Resources | None = None,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
) -> SourceStatistics:
    """The statistics of a backbone on the training part of source data.

    Args:
        backbone: As `--backbone` takes it, or a loaded backbone.
        task: The source data.
        resources: Device, precision, cache.
        most_samples: Draw so many, each class in its share.
        seed: Of the draw.
    """
    resources = resources or Resources()
    if isinstance(backbone, str):
        backbone = load_backbone(backbone, offline=resources.offline)
    chosen = drawn_rows(task, most_samples, seed)
    samples = [task.train.samples[row] for row in chosen]
    (features,), _ = pooled_features(
        backbone,
        samples,
        resources.store(),
        stages=[len(backbone.outline) - 1],
        device=resolve_device(resources.device),
        precision=resources.precision,
    )
    values = features.astype(np.float64)
    means = np.zeros((0, values.shape[1]))
    if task.kind in {"image-classification", "text-classification"} and len(task.classes) > 1:
        targets = np.array([task.train.targets[row] for row in chosen])
        means = np.stack([values[targets == label].mean(axis=0) for label in np.unique(targets)])
    few = np.random.default_rng(seed).permutation(len(values))[:KEPT_ROWS]
    return SourceStatistics(
        task.name, len(values), values.mean(axis=0), np.cov(values, rowvar=False), means, values[few]
    )


def write_source_statistics(
    backbone: str | Backbone,
    task: Task,
    folder: str | Path,
    *,
    data: str = "",
    resources: Resources | None = None,
    seed: int = 0,
) -> Path:
    """Compute the statistics and put their file beside the weights in `folder`; 1-4 MB for D up to 1280.

    Args:
        backbone: As `--backbone` takes it, or a loaded backbone.
        task: Data that it was pre-trained on.
        folder: The backbone's folder.
        data: What the data are, in words; default: the task's name.
        resources: Device, precision, cache.
        seed: Of the draw of samples.

    Example:
        >>> write_source_statistics("out/", open_task("tiny-imagenet/"), "out/")  # doctest: +SKIP
    """
    resources = resources or Resources()
    if isinstance(backbone, str):
        backbone = load_backbone(backbone, offline=resources.offline)
    found = source_statistics(backbone, task, resources=resources, seed=seed)
    spread = np.sqrt(np.diag(found.covariance)).clip(SMALLEST_SPREAD)
    tensors = {
        "mean": found.mean.astype(np.float32),
        "spread": spread.astype(np.float32),
        # Correlations lie in -1..1, where float16 is exact to 5e-4.
        "correlation": (found.covariance / np.outer(spread, spread)).astype(np.float16),
        "class_means": _halved(found.class_means, spread),
        "rows": _halved(found.rows, spread),
    }
    facts = {"layout": LAYOUT, "data": data or found.data, "samples": found.samples, "weights": _weights(backbone)}
    file = Path(folder) / FILE
    draft = file.with_name(f".{file.name}.draft")
    save_file(tensors, draft, metadata={"regraft": json.dumps(facts)})
    draft.replace(file)
    return file


def shipped_statistics(backbone: Backbone) -> SourceStatistics | None:
    """The statistics beside a backbone's weights; None where there are none.

    Raises:
        BackboneError: The file is damaged, or was made of other weights.
    """
    folder = _folder(backbone)
    return None if folder is None or not (folder / FILE).is_file() else read_source_statistics(folder / FILE, backbone)


def read_source_statistics(file: Path, backbone: Backbone) -> SourceStatistics:
    """The statistics in a file.

    Raises:
        BackboneError: The file is damaged, or was made of other weights.
    """
    cure = "write it again with regraft.write_source_statistics, or remove it"
    try:
        with safe_open(file, framework="np") as opened:
            facts = json.loads((opened.metadata() or {}).get("regraft", "{}"))
            tensors = {name: opened.get_tensor(name).astype(np.float64) for name in opened.keys()}  # noqa: SIM118
        if facts["weights"] != _weights(backbone):
            raise BackboneError(f"{file}: made of other weights than those beside it; {cure}")
        spread = tensors["spread"]
        return SourceStatistics(
            str(facts["data"]),
            int(facts["samples"]),
            tensors["mean"],
            tensors["correlation"] * np.outer(spread, spread),
            tensors["class_means"] * spread,
            tensors["rows"] * spread,
        )
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise BackboneError(f"{file}: damaged or of another layout ({error}); {cure}") from error


def _halved(features: Doubles, spread: Doubles) -> NDArray[np.float16]:
    """Features in units of their spread, where float16 neither overflows nor loses what matters."""
    halves: NDArray[np.float16] = (features / spread).clip(-6e4, 6e4).astype(np.float16)
    return halves


def _weights(backbone: Backbone) -> str:
    return backbone.passport.sha256


def _folder(backbone: Backbone) -> Path | None:
    """Where the backbone's weights are, for those that lie in a folder."""
    source = backbone.passport.source
    kind, _, name = source.partition(":")
    if kind == "bundled":
        return bundled_folder(name)
    folder = Path(source)
    return folder if folder.is_dir() else None
