"""A backbone without its weights: the ordered stages a boundary can be set between."""

from collections.abc import Iterator
from dataclasses import dataclass

from regraft.core.display import html_table, html_title
from regraft.core.errors import OptionError

# Families made of attention and dense layers; the others are convolutional.
TEXT_FAMILIES = ("bert", "roberta", "electra", "distilbert", "gpt2")
ATTENTION_FAMILIES = ("vit", *TEXT_FAMILIES)


@dataclass(frozen=True)
class Stage:
    """A run of layers that is frozen or trained as one.

    Attributes:
        name: As the field calls it: `stem`, `layer1`, `features.3`, `layer.0`, `h.11`.
        modules: Dotted names, inside the backbone's module, of the submodules and loose parameters
            that belong to it. Over all stages they cover every parameter exactly once.
        parameters: How many scalar parameters it holds.
        width: D, the width of its pooled features.
        dense: Whether it has a layer that an adapter can stand beside; an embedding table has none.
    """

    name: str
    modules: tuple[str, ...]
    parameters: int
    width: int
    dense: bool = True


@dataclass(frozen=True)
class Outline:
    """A backbone's name, family and stages, input side first."""

    name: str
    family: str
    stages: tuple[Stage, ...]

    def __len__(self) -> int:
        return len(self.stages)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def _repr_html_(self) -> str:
        rows = [(stage.name, f"{stage.parameters:,}", f"{stage.width:,}") for stage in self.stages]
        title = html_title(self.name, f": {len(self)} stages, {self.parameters:,} parameters")
        return title + html_table(("stage", "parameters", "features"), rows, most=len(rows))

    @property
    def parameters(self) -> int:
        """Scalar parameters of the whole trunk."""
        return sum(stage.parameters for stage in self.stages)

    def boundary_name(self, frozen: int) -> str:
        """The name of the last of `frozen` leading stages; `none` for 0."""
        return "none" if frozen == 0 else self.stages[frozen - 1].name

    def frozen_stages(self, boundary: str) -> int:
        """How many leading stages `boundary` freezes.

        Args:
            boundary: A stage name (the last frozen one), `none`, a count (`3`: the first three
                stages) or a share of the stages (`60%`, rounded to the nearest whole stage).

        Raises:
            OptionError: It names no stage; the message lists those there are.
        """
        names = [stage.name for stage in self.stages]
        if boundary == "none":
            return 0
        if boundary in names:
            return names.index(boundary) + 1
        if boundary.isdecimal() and int(boundary) <= len(names):
            return int(boundary)
        share = boundary.removesuffix("%")
        if boundary.endswith("%") and share.replace(".", "", 1).isdecimal() and float(share) <= 100:
            return round(len(names) * float(share) / 100)
        raise OptionError(
            f"--boundary {boundary}: {self.name} has no such stage; give one of none, "
            f"{', '.join(names)}, a count from 0 to {len(names)}, or a share such as 60%"
        )
