"""How an objective is pursued: small typed recipes, and the presets among them."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from regraft.core import OptionError


@dataclass(frozen=True)
class Schedule:
    """How the weights move: AdamW, a linear warm-up, then a half cosine down to 0.

    Attributes:
        epochs: Passes over the data; a part of one is allowed.
        batch_size: Samples per step, over all processes together.
        learning_rate: The highest rate.
        weight_decay: Of tensors with two dimensions or more.
        warmup_share: Share of the steps in which the rate rises.
        clip_norm: Largest norm of the gradient.
    """

    epochs: float = 8.0
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    clip_norm: float = 5.0


@dataclass(frozen=True)
class Views:
    """How a picture is shown: a random crop, a flip and a colour change.

    Attributes:
        sizes: (share of the run from which it holds, side in pixels), ascending; the last side is the
            network's input size. Small pictures first cost less (Tan 2021, EfficientNetV2, section 4).
        smallest_area: Smallest share of the picture's area that a crop keeps.
        jitter: Brightness, contrast and saturation change by at most this share.
    """

    sizes: tuple[tuple[float, int], ...] = ((0.0, 64),)
    smallest_area: float = 0.35
    jitter: float = 0.2

    @property
    def last(self) -> int:
        """The side that the network is made for."""
        return self.sizes[-1][1]

    def side(self, share: float) -> int:
        """The side, in pixels, at a share of the run."""
        return [side for begin, side in self.sizes if share >= begin][-1]


@dataclass(frozen=True)
class Supervised:
    """Labels, and where there is a teacher its outputs (Hinton 2015, Distilling the knowledge in a neural network).

    Attributes:
        label_smoothing: Share of the target spread over all classes.
        soft_share: Weight of the teacher's outputs in the loss, 0-1; without a teacher it is not used.
        temperature: Both outputs are divided by this before they are compared.
        teacher_side: Side of the pictures that the teacher sees, in pixels; 0 = its own input size.
        teacher_sees: The `whole` picture, once, or the same random `view` as the network, at every step.
    """

    schedule: Schedule = Schedule()
    views: Views = Views()
    label_smoothing: float = 0.1
    soft_share: float = 0.7
    temperature: float = 2.0
    teacher_side: int = 0
    teacher_sees: Literal["whole", "view"] = "whole"


@dataclass(frozen=True)
class SimSiam:
    """Two views of a picture alike (Chen 2021, Exploring simple siamese representation learning).

    Attributes:
        projection: Width in which views are compared.
    """

    schedule: Schedule = Schedule(epochs=20, learning_rate=1e-3)
    views: Views = Views(smallest_area=0.2, jitter=0.4)
    projection: int = 512


@dataclass(frozen=True)
class Masked:
    """Hidden tokens from both sides (Devlin 2019, BERT, section 3.1).

    Attributes:
        length: Tokens of a block, its two special tokens included.
        mask_share: Share of the tokens that are to be told.
        vocabulary: Most tokens of a tokenizer trained on the corpus.
    """

    schedule: Schedule = Schedule(epochs=3, batch_size=32, learning_rate=5e-4, weight_decay=0.01, clip_norm=1.0)
    length: int = 128
    mask_share: float = 0.15
    vocabulary: int = 8192


@dataclass(frozen=True)
class Causal:
    """Each token from those before it (Radford 2019, GPT-2).

    Attributes:
        length: Tokens of a block.
        vocabulary: Most tokens of a tokenizer trained on the corpus.
        dropout: Of every layer while it learns; what the saved network says of its dropout, for tuning, stays. None
            in few passes: nothing is seen often enough to be learnt by heart (Komatsuzaki 2019, One epoch is all
            you need).
    """

    schedule: Schedule = Schedule(epochs=3, batch_size=32, learning_rate=5e-4, weight_decay=0.01, clip_norm=1.0)
    length: int = 128
    vocabulary: int = 8192
    dropout: float = 0.0


Recipe = Supervised | SimSiam | Masked | Causal


@dataclass(frozen=True)
class Preset:
    """A recipe with a name."""

    name: str
    objective: str
    recipe: Recipe
    about: str


PRESETS: tuple[Preset, ...] = (
    Preset("standard", "supervised", Supervised(), "pictures of 64 pixels"),
    Preset("standard", "simsiam", SimSiam(), "pictures of 64 pixels"),
    Preset("standard", "mlm", Masked(), "a small network from its beginning"),
    Preset("standard", "clm", Causal(), "a small network from its beginning"),
    Preset(
        "domain",
        "mlm",
        Masked(Schedule(epochs=2, batch_size=32, learning_rate=5e-5, weight_decay=0.01, clip_norm=1.0)),
        "a trained network goes on in another domain (Gururangan 2020, Don't stop pretraining)",
    ),
    Preset(
        "domain",
        "clm",
        Causal(Schedule(epochs=2, batch_size=32, learning_rate=5e-5, weight_decay=0.01, clip_norm=1.0), dropout=0.1),
        "the same, from left to right",
    ),
    Preset(
        "resnet-small",
        "supervised",
        Supervised(
            Schedule(epochs=80, batch_size=512, learning_rate=3e-3),
            Views(smallest_area=0.25, jitter=0.3),
            label_smoothing=0.0,
            teacher_side=128,
            teacher_sees="view",
        ),
        "that of bundled:resnet-small: long, with strong views, on an accelerator",
    ),
)


def preset(name: str, objective: str) -> Preset:
    """The preset of that name for an objective.

    Raises:
        OptionError: There is none.
    """
    named = {one.name: one for one in PRESETS if one.objective == objective}
    if name not in named:
        raise OptionError(f"--recipe {name}: unknown for {objective}; use {', '.join(named)}")
    return named[name]


def departing(
    recipe: Recipe,
    *,
    epochs: float | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    input_size: int | None = None,
    length: int | None = None,
) -> Recipe:
    """The recipe with what the caller said instead.

    Raises:
        OptionError: Something was said that this kind of recipe has not.
    """
    said = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    changed: Any = {key: value for key, value in said.items() if value is not None}
    recipe = replace(recipe, schedule=replace(recipe.schedule, **changed))
    if input_size is not None:
        if not isinstance(recipe, (Supervised, SimSiam)):
            raise OptionError("--input-size goes with pictures; of texts give --length")
        recipe = replace(recipe, views=replace(recipe.views, sizes=((0.0, input_size),)))
    if length is not None:
        if not isinstance(recipe, (Masked, Causal)):
            raise OptionError("--length goes with texts; of pictures give --input-size")
        recipe = replace(recipe, length=length)
    return recipe
