"""A fitted backbone, head and preprocessing: predict, evaluate, save in one folder, load in a fresh process."""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file, save_file

from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.saving import load_saved_backbone, save_backbone
from regraft.core import Learnt, ModelError, Plan, Run, Sample, Split, Step, TaskKind
from regraft.core.display import html_table, html_title
from regraft.core.words import backbone_said, metric_said
from regraft.evaluating import Evaluation
from regraft.heads import Head, build_head, head_kind, head_width
from regraft.inputs import as_sample, check_pairs
from regraft.predicting import Fitted, Predicted, class_probabilities, evaluated, predicted

FORMAT = 2
MODEL_FILE = "model.json"
HEAD_FILE = "head.safetensors"
BACKBONE_FOLDER = "backbone"
ADAPTER_FOLDER = "adapter"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
DRAFT = ".draft-"
KEYS = {"task", "backbone", "head", "plan", "steps", "seconds", "environment", "results"}

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Model:
    """A fitted backbone and head.

    Attributes:
        task_name: What it was trained on.
        kind: The task's kind.
        classes: Class names in the order of the head's outputs.
        backbone: The trunk, in evaluation mode.
        head: From what it reads of the trunk to outputs.
        run: The plan and what it took.
        results: Metrics by split name, as measured when it was fitted.
        device: Where predictions run.
        forgetting: Of a model fitted within a forgetting budget: the curve, the share taken and what it cost.
        adapter: Of a model tuned by adapters: the files that peft saves, by name; the trunk has them merged in.
        pairs: Whether its texts come in pairs; None = a model saved before this was kept: it takes both.
        learnt: What it learnt from; None = a model saved before this was kept.
    """

    task_name: str
    kind: TaskKind
    classes: tuple[str, ...]
    backbone: Backbone
    head: Head = field(repr=False)
    run: Run
    results: dict[str, dict[str, Any]]
    device: str = "auto"
    forgetting: dict[str, Any] | None = None
    adapter: dict[str, bytes] = field(default_factory=dict, repr=False)
    pairs: bool | None = None
    learnt: Learnt | None = field(default=None, repr=False)

    @property
    def trainable_parameters(self) -> int:
        """How many scalars training could change."""
        head = sum(one.numel() for one in self.head.parameters())
        if self.adapter:
            head += sum(int(one.numel()) for one in load_tensors(self.adapter[ADAPTER_WEIGHTS]).values())
            return head
        outline = self.backbone.outline
        return head + sum(stage.parameters for stage in outline.stages[self.run.plan.frozen(outline) :])

    @property
    def fitted(self) -> Fitted:
        """What predictions are made with."""
        return Fitted(self.kind, self.classes, self.backbone, self.head, self.device)

    def probabilities(
        self, samples: Sequence[Sample], *, store: ActivationStore | None = None, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Class probabilities, (N, C) float64; features are kept in `store` where one is given.

        Raises:
            ModelError: The task is not one of classes.
            DataError: A sample is a single text and the model takes pairs, or the reverse.
        """
        if self.kind not in {"image-classification", "text-classification"}:
            raise ModelError(f"{self.task_name}: {self.kind} has no class probabilities; use predict")
        check_pairs(samples, pairs=self.pairs)
        return class_probabilities(self.fitted, samples, store, _counted(progress))

    def predict(self, inputs: Sequence[Sample | str | Path], *, progress: Progress | None = None) -> list[Predicted]:
        """One answer per input: a class with all shares, a quantity, tagged words, or a span of the passage.

        Args:
            inputs: Samples of a task, files of pictures, or texts; a tab parts a pair, or a question and its passage.
            progress: Told what is done, how much of it, and of how much.

        Raises:
            DataError: An input is no picture that can be read, a question without its passage, or a single text where
                the model takes pairs, or the reverse.
        """
        if isinstance(inputs, (str, Path)):
            inputs = [inputs]
        samples = [as_sample(one, self.kind) for one in inputs]
        check_pairs(samples, pairs=self.pairs)
        return predicted(self.fitted, samples, _counted(progress))

    def evaluate(
        self, split: Split, *, store: ActivationStore | None = None, progress: Progress | None = None
    ) -> Evaluation:
        """Metrics on labelled samples, with bootstrap intervals; those of a task's split know its groups.

        Raises:
            DataError: A sample is a single text and the model takes pairs, or the reverse.
        """
        check_pairs(split.samples, pairs=self.pairs)
        return evaluated(self.fitted, split, store, _counted(progress))

    def save(self, folder: str | Path) -> Path:
        """Write the model to a new folder, whole or not at all.

        Raises:
            ModelError: `folder` exists and is not empty.
        """
        folder = Path(folder)
        if folder.exists() and any(folder.iterdir()):
            raise ModelError(f"{folder} exists and is not empty; name a new folder or remove it")
        return self.save_into(folder)

    def save_into(self, folder: str | Path) -> Path:
        """Write the model's files into `folder`, `model.json` last: a folder without it holds no model."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for left in (
            *folder.glob(f"{DRAFT}*"),
            folder / BACKBONE_FOLDER,
            folder / ADAPTER_FOLDER,
        ):  # by a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
        try:
            self._write(draft)
            adapter = (ADAPTER_FOLDER,) if self.adapter else ()
            for name in (BACKBONE_FOLDER, *adapter, HEAD_FILE, MODEL_FILE):
                (draft / name).replace(folder / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder

    def _write(self, folder: Path) -> None:
        save_backbone(self.backbone, folder / BACKBONE_FOLDER)
        if self.adapter:
            (folder / ADAPTER_FOLDER).mkdir()
        for name, content in self.adapter.items():
            (folder / ADAPTER_FOLDER / name).write_bytes(content)
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.head.state_dict().items()}
        save_file(tensors, folder / HEAD_FILE)
        data = {
            "format": FORMAT,
            "task": {"name": self.task_name, "kind": self.kind, "classes": list(self.classes), "pairs": self.pairs},
            "backbone": {"outline": self.backbone.outline.name},
            "head": {"kind": head_kind(self.head, self.kind), "reads": self.head.reads, "taps": list(self.head.taps)},
            "passport": self.backbone.passport.to_json(),
            "plan": self.run.plan.to_json(),
            "steps": [asdict(step) for step in self.run.steps],
            "seconds": dict(self.run.seconds),
            "environment": dict(self.run.environment),
            "results": self.results,
            "forgetting": self.forgetting,
            "learnt": None if self.learnt is None else self.learnt.to_json(),
        }
        (folder / MODEL_FILE).write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")

    def _repr_html_(self) -> str:
        names = list(dict.fromkeys(name for values in self.results.values() for name in values))
        shown = [name for name in names if name != "intervals"][:4]
        rows = [
            (split, *(f"{values[name]:.3f}" if name in values else "" for name in shown))
            for split, values in self.results.items()
        ]
        title = html_title(
            self.run.plan.strategy,
            f" of {backbone_said(self.backbone.passport.source)} on {self.task_name}: "
            f"{self.trainable_parameters:,} trained parameters",
        )
        return title + (html_table(("split", *map(metric_said, shown)), rows) if rows else "")


def load(folder: str | Path, *, device: str = "auto") -> Model:
    """The model that `Model.save` wrote; opens no connection.

    Raises:
        ModelError: It is not a model's folder, or a file of it is missing or damaged.
    """
    folder = Path(folder)
    data = _read_description(folder)
    task, plan = data["task"], Plan.from_json(data["plan"])
    backbone = load_saved_backbone(folder / BACKBONE_FOLDER)
    head = build_head(
        data["head"]["kind"],
        head_width(backbone.outline, tuple(data["head"]["taps"])),
        len(task["classes"]),
        plan.seed,
        task=task["kind"],
        reads=data["head"]["reads"],
        taps=tuple(data["head"]["taps"]),
    )
    try:
        head.load_state_dict(load_file(folder / HEAD_FILE))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder / HEAD_FILE}: missing or damaged ({error}); save the model again") from error
    steps = tuple(Step(**step) for step in data["steps"])
    return Model(
        task_name=task["name"],
        kind=task["kind"],
        classes=tuple(task["classes"]),
        backbone=backbone,
        head=head,
        run=Run(plan, steps, data["seconds"], data["environment"]),
        results=data["results"],
        device=device,
        forgetting=data.get("forgetting"),
        adapter={file.name: file.read_bytes() for file in sorted((folder / ADAPTER_FOLDER).glob("*"))},
        pairs=task.get("pairs"),
        learnt=None if data.get("learnt") is None else Learnt.from_json(data["learnt"]),
    )


def _counted(progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress("predict", done, total)


def _read_description(folder: Path) -> dict[str, Any]:
    """`model.json` as data, checked for the format that this version reads."""
    file = folder / MODEL_FILE
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: no {MODEL_FILE} there; give the folder that `regraft fit --out` wrote") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read ({error}); save the model again") from error
    if not isinstance(data, dict):
        raise ModelError(f"{file}: not a model's description; save the model again")
    if data.get("format") != FORMAT:
        raise ModelError(f"{file}: format {data.get('format')}, this version reads {FORMAT}; fit the model again")
    if missing := sorted(KEYS - set(data)):
        raise ModelError(f"{file}: {', '.join(missing)} missing; save the model again")
    return data
