"""Pictures with labels, and where there is one a teacher's opinion of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from regraft.backbones.source_heads import source_head
from regraft.backbones.vision import VisionBackbone
from regraft.core import BackboneError, Passport
from regraft.pretraining import augment
from regraft.pretraining.contract import Draw
from regraft.pretraining.pictures import PictureBank, Pictures
from regraft.pretraining.recipes import Supervised
from regraft.pretraining.teaching import Teaching
from regraft.pretraining.vision_form import Normalise, write_vision

QUICK = 1000  # held-out pictures looked at while training
EVALUATED = 250  # pictures at a time


class SupervisedLearner(nn.Module):
    """A network with its classifier and, in training only, a second one that imitates the teacher's."""

    model: Any

    def __init__(self, backbone: VisionBackbone, classes: int, teacher_classes: int, recipe: Supervised) -> None:
        super().__init__()
        model: Any = backbone.module
        model.reset_classifier(classes)
        self.model = model
        self.imitation = nn.Linear(backbone.outline.stages[-1].width, teacher_classes) if teacher_classes else None
        self._recipe = recipe
        self.normalise = Normalise(backbone.preprocess)

    def features(self, pictures: Tensor) -> Tensor:
        """What the classifier reads, (B, D), of pictures float32 (B, 3, H, W), 0-255."""
        maps = self.model.forward_features(self.normalise(pictures))
        found: Tensor = self.model.forward_head(maps, pre_logits=True)
        return found

    def forward(self, pictures: Tensor, labels: Tensor, taught: Tensor | None = None) -> Tensor:
        """The summed loss of a batch.

        Args:
            pictures: float32 (B, 3, H, W), 0-255.
            labels: int64 (B,).
            taught: The teacher's logits (B, K).
        """
        features, recipe = self.features(pictures), self._recipe
        logits = self.model.get_classifier()(features)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing, reduction="sum")
        if taught is None or self.imitation is None:
            return loss
        soft = soft_loss(self.imitation(features).float(), taught, recipe.temperature)
        return (1 - recipe.soft_share) * loss + recipe.soft_share * soft


def soft_loss(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """T^2 times the divergence of softened outputs from the teacher's, summed (Hinton 2015, section 2)."""
    wanted = F.log_softmax(taught / temperature, dim=1)
    said = F.log_softmax(logits / temperature, dim=1)
    return F.kl_div(said, wanted, reduction="sum", log_target=True) * temperature**2


def keep_classifier(learner: SupervisedLearner, passport: Passport, classes: tuple[str, ...]) -> None:
    """Begin with the backbone's own classifier where it has the same classes, else with a new one."""
    try:
        head = source_head(passport, offline=True)  # what was just loaded is on this machine
    except BackboneError:
        return
    if head.is_of(classes):
        learner.model.get_classifier().load_state_dict(head.module.state_dict())


@dataclass
class SupervisedObjective:
    """Classify the pictures, as their labels and the teacher say."""

    backbone: VisionBackbone
    pictures: Pictures
    recipe: Supervised
    teaching: Teaching | None = None
    device: str = "cpu"
    learner: SupervisedLearner = field(init=False)

    def __post_init__(self) -> None:
        teacher_classes = 0 if self.teaching is None else self.teaching.classes
        self.learner = SupervisedLearner(self.backbone, len(self.pictures.classes), teacher_classes, self.recipe)
        keep_classifier(self.learner, self.backbone.passport, self.pictures.classes)
        self.learner.to(memory_format=torch.channels_last)

    @property
    def count(self) -> int:
        """Training pictures."""
        return len(self.pictures.train)

    def draw(self, rows: Sequence[int], mine: slice, generator: torch.Generator, share: float) -> Draw:
        """Random views of this process's pictures, their labels, and what the teacher said of them."""
        chance = augment.draw(len(rows), generator).part(mine)
        positions = list(rows[mine])
        bank = self.pictures.train
        seen = augment.views(
            bank.rows(positions).to(self.device), chance, self.recipe.views.side(share), self.recipe.views
        )
        told = () if self.teaching is None else (self.teaching.outputs(positions, seen),)
        return Draw((seen, bank.labels[positions], *told), len(rows))

    def cost(self, share: float) -> float:
        """Convolutions cost as many operations as there are pixels."""
        return float(self.recipe.views.side(share) ** 2)

    def held_out(self, device: str, *, all_of_it: bool) -> dict[str, float]:
        """Accuracy and loss on held-out pictures, in evaluation mode at the network's own input size."""
        bank = self.pictures.held_out
        positions = list(range(len(bank)))
        if not all_of_it and len(positions) > QUICK:
            positions = positions[:: -(-len(positions) // QUICK)]
        if not positions:
            return {}
        logits = self._logits(bank, positions, device)
        labels = bank.labels[positions]
        found = {
            "accuracy": float((logits.argmax(dim=1) == labels).float().mean()),
            "loss": float(F.cross_entropy(logits, labels)),
        }
        if logits.shape[1] > 5:
            hits = (logits.topk(5, dim=1).indices == labels[:, None]).any(dim=1)
            found["top5_accuracy"] = float(hits.float().mean())
        return found

    def _logits(self, bank: PictureBank, positions: list[int], device: str) -> Tensor:
        self.learner.eval()
        side, found = self.recipe.views.last, []
        with torch.inference_mode():
            for begin in range(0, len(positions), EVALUATED):
                values = bank.at_side(positions[begin : begin + EVALUATED], side).to(device)
                found.append(self.learner.model.get_classifier()(self.learner.features(values)).float().cpu())
        self.learner.train()
        return torch.cat(found)

    def write(self, folder: Path, facts: dict[str, Any]) -> None:
        """The `local-dir` form of timm form with the classifier; what imitated the teacher is left behind."""
        write_vision(self.backbone, folder, self.pictures.classes, facts)
