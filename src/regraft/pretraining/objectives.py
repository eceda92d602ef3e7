"""From a call to its objective, data included."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.vision import VisionBackbone
from regraft.core import OptionError
from regraft.pretraining.call import Call
from regraft.pretraining.contract import Objective
from regraft.pretraining.pictures import Pictures, Progress, open_pictures
from regraft.pretraining.recipes import SimSiam, Supervised
from regraft.pretraining.vision_start import fresh_vision, started_vision
from regraft.running.devices import trains_in_bf16

if TYPE_CHECKING:  # one objective's modules
    from regraft.pretraining.teaching import Teaching


@dataclass(frozen=True)
class Work:
    """Where an objective is prepared.

    Attributes:
        folder: Of the run: a trained tokenizer is kept there.
        store: Where a teacher's answers are kept.
        device: Where views are made and a teacher runs.
        precision: `auto`, `fp32` or `bf16`.
        offline: Open no connection.
        progress: Called with (what, done, total).
    """

    folder: Path
    store: ActivationStore
    device: str
    precision: str
    offline: bool
    progress: Progress | None


@dataclass(frozen=True)
class Prepared:
    """An objective ready to run, and what the model card says of it.

    Attributes:
        objective: With its learner.
        fingerprint: What its data are known by.
        data: The name of the data.
        samples: How many there are to learn from, with their unit: `5,000 pictures of 10 classes`.
        architecture: The network's name.
        library: `timm` or `transformers`.
        reads: What the network takes.
        parameters: Of the trunk.
    """

    objective: Objective
    fingerprint: str
    data: str
    samples: str
    architecture: str
    library: str
    reads: str
    parameters: int

    @property
    def convolutional(self) -> bool:
        """Whether the network is one of timm's: most of these are convolutions."""
        return self.library == "timm"


def objective_of(call: Call, work: Work) -> Prepared:
    """Open the data, build or load the network, ask the teacher.

    Raises:
        InputError: Something does not go together; nothing has been trained.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(call.seed)  # new heads begin with random weights too
        return BUILDERS[call.objective](call, work)


def _supervised(call: Call, work: Work) -> Prepared:
    from regraft.pretraining.supervised import SupervisedObjective  # noqa: PLC0415 - one objective's modules

    recipe = call.recipe
    if not isinstance(recipe, Supervised):
        raise OptionError("--recipe: not one for supervised")
    pictures, backbone = _pictures(call, work, recipe.views.last)
    if len(pictures.classes) < 2:
        raise OptionError(f"--objective supervised: {call.data} has fewer than two classes; simsiam needs none")
    labelled = pictures.train.labels >= 0
    if not bool(labelled.all()):
        raise OptionError(f"--objective supervised: {call.data} has pictures without a label; simsiam needs none")
    teaching = _teaching(call.teacher, pictures, recipe, work) if call.teacher else None
    return _of_pictures(SupervisedObjective(backbone, pictures, recipe, teaching, work.device), pictures, backbone)


def _teaching(name: str, pictures: Pictures, recipe: Supervised, work: Work) -> "Teaching":
    from regraft.pretraining.teaching import always_asked, taught  # noqa: PLC0415 - one objective's modules

    teacher = load_backbone(name, kind="image", offline=work.offline)
    side, offline, device = recipe.teacher_side, work.offline, work.device
    if recipe.teacher_sees == "view":
        low = trains_in_bf16(device, work.precision, convolutional=True)
        return always_asked(teacher, side=side, offline=offline, device=device, low_precision=low)
    return taught(
        teacher, pictures.train.samples, work.store, side=side, offline=offline, device=device, progress=work.progress
    )


def _simsiam(call: Call, work: Work) -> Prepared:
    from regraft.pretraining.simsiam import SimSiamObjective  # noqa: PLC0415

    if not isinstance(call.recipe, SimSiam):
        raise OptionError("--recipe: not one for simsiam")
    pictures, backbone = _pictures(call, work, call.recipe.views.last)
    return _of_pictures(SimSiamObjective(backbone, pictures, call.recipe, work.device), pictures, backbone)


def _of_pictures(objective: Objective, pictures: Pictures, backbone: VisionBackbone) -> Prepared:
    named = f" of {len(pictures.classes)} classes" if pictures.classes else ""
    return Prepared(
        objective,
        pictures.fingerprint,
        pictures.name,
        f"{len(pictures.train):,} pictures{named}",
        backbone.outline.name,
        "timm",
        f"RGB pictures of {backbone.preprocess.size[0]} x {backbone.preprocess.size[1]} pixels",
        backbone.outline.parameters,
    )


def _pictures(call: Call, work: Work, side: int) -> tuple[Pictures, VisionBackbone]:
    """The decoded pictures and the network at their size."""
    if call.source:
        backbone = started_vision(call.source, side, offline=work.offline)
    else:
        backbone = fresh_vision(call.architecture, side, call.seed)
    return open_pictures(Path(call.data), side, call.seed, work.progress), backbone


def _language(call: Call, work: Work) -> Prepared:
    from regraft.pretraining.language_work import language_objective  # noqa: PLC0415

    objective, corpus, fingerprint = language_objective(call, work.folder, offline=work.offline, progress=work.progress)
    trunk = objective.model.base_model
    return Prepared(
        objective,
        fingerprint,
        corpus.name,
        f"{len(corpus.train):,} documents, {len(objective.train.stream):,} tokens",
        call.architecture or objective.model.config.model_type,
        "transformers",
        f"text; it was trained on blocks of {objective.recipe.length} tokens",
        sum(one.numel() for one in trunk.parameters()),
    )


BUILDERS: dict[str, Callable[[Call, Work], Prepared]] = {
    "supervised": _supervised,
    "simsiam": _simsiam,
    "mlm": _language,
    "clm": _language,
}
