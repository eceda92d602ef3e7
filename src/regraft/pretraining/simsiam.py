"""Two views of a picture shall look alike, with no label (Chen 2021, Exploring simple siamese representation learning)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from regraft.backbones.vision import VisionBackbone
from regraft.pretraining import augment
from regraft.pretraining.contract import Draw
from regraft.pretraining.nearest import nearest_accuracy
from regraft.pretraining.pictures import PictureBank, Pictures
from regraft.pretraining.recipes import SimSiam
from regraft.pretraining.vision_form import Normalise, write_vision

QUICK = 1000
EVALUATED = 250


class SimSiamLearner(nn.Module):
    """Trunk, projection (three layers) and prediction (two layers, narrow in the middle): section 3 of the paper."""

    model: Any

    def __init__(self, backbone: VisionBackbone, recipe: SimSiam) -> None:
        super().__init__()
        self.model = backbone.module
        self.normalise = Normalise(backbone.preprocess)
        width, out = backbone.outline.stages[-1].width, recipe.projection
        self.project = nn.Sequential(
            nn.Linear(width, out, bias=False),
            nn.BatchNorm1d(out),
            nn.ReLU(inplace=True),
            nn.Linear(out, out, bias=False),
            nn.BatchNorm1d(out),
            nn.ReLU(inplace=True),
            nn.Linear(out, out, bias=False),
            nn.BatchNorm1d(out, affine=False),
        )
        self.predict = nn.Sequential(
            nn.Linear(out, out // 4, bias=False),
            nn.BatchNorm1d(out // 4),
            nn.ReLU(inplace=True),
            nn.Linear(out // 4, out),
        )

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features (B, D) of pictures float32 (B, 3, H, W), 0-255."""
        found: Tensor = self.model(self.normalise(pictures))
        return found

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The summed negative cosine of each view's prediction with the other's projection, which gets no gradient."""
        one, other = (self.project(self.features(view)) for view in (first, second))
        alike = _cosines(self.predict(one), other.detach()) + _cosines(self.predict(other), one.detach())
        return -alike.sum() / 2


def _cosines(predicted: Tensor, projected: Tensor) -> Tensor:
    return F.cosine_similarity(predicted.float(), projected.float(), dim=1)


@dataclass
class SimSiamObjective:
    """Views of one picture alike; labels are looked at by the probe alone."""

    backbone: VisionBackbone
    pictures: Pictures
    recipe: SimSiam
    device: str = "cpu"
    learner: SimSiamLearner = field(init=False)

    def __post_init__(self) -> None:
        self.learner = SimSiamLearner(self.backbone, self.recipe)
        self.learner.to(memory_format=torch.channels_last)

    @property
    def count(self) -> int:
        """Training pictures."""
        return len(self.pictures.train)

    def draw(self, rows: Sequence[int], mine: slice, generator: torch.Generator, share: float) -> Draw:
        """Two random views of each picture."""
        views, side = self.recipe.views, self.recipe.views.side(share)
        pictures = self.pictures.train.rows(list(rows[mine])).to(self.device)
        chances = [augment.draw(len(rows), generator).part(mine) for _ in range(2)]
        return Draw(tuple(augment.views(pictures, one, side, views) for one in chances), len(rows))

    def cost(self, share: float) -> float:
        """Convolutions cost as many operations as there are pixels."""
        return float(self.recipe.views.side(share) ** 2)

    def held_out(self, device: str, *, all_of_it: bool) -> dict[str, float]:
        """Spread of the features and, where pictures have labels, how often the nearest ones have the same.

        A spread near 0 says that everything looks alike to the network: it has collapsed (section 4.1 there;
        1 is the spread of independent directions).
        """
        aside = self._some(self.pictures.held_out, len(self.pictures.held_out) if all_of_it else QUICK)
        if not aside:
            return {}
        features = self._features(self.pictures.held_out, aside, device)
        directions = F.normalize(features, dim=1)
        found = {"spread": float(directions.std(dim=0).mean() * directions.shape[1] ** 0.5)}
        if self.pictures.classes:
            near = self._some(self.pictures.train, 4 * QUICK)
            known = F.normalize(self._features(self.pictures.train, near, device), dim=1)
            labels, wanted = self.pictures.train.labels[near], self.pictures.held_out.labels[aside]
            found["nearest_accuracy"] = nearest_accuracy(known, labels, directions, wanted)
        return found

    @staticmethod
    def _some(bank: PictureBank, most: int) -> list[int]:
        return list(range(0, len(bank), max(-(-len(bank) // max(most, 1)), 1)))

    def _features(self, bank: PictureBank, positions: list[int], device: str) -> Tensor:
        self.learner.eval()
        found = []
        with torch.inference_mode():
            for begin in range(0, len(positions), EVALUATED):
                values = bank.at_side(positions[begin : begin + EVALUATED], self.recipe.views.last).to(device)
                found.append(self.learner.features(values).float().cpu())
        self.learner.train()
        return torch.cat(found)

    def write(self, folder: Path, facts: dict[str, Any]) -> None:
        """The `local-dir` form of timm form, without a classifier: there were no classes."""
        write_vision(self.backbone, folder, (), facts)
