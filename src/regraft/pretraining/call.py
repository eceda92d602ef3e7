"""What a run was asked for."""

from dataclasses import dataclass
from typing import Literal

from regraft.pretraining.recipes import Recipe

ObjectiveName = Literal["supervised", "simsiam", "mlm", "clm"]
OBJECTIVES: tuple[ObjectiveName, ...] = ("supervised", "simsiam", "mlm", "clm")


@dataclass(frozen=True)
class Call:
    """A run as plain data: the same call on the same data gives the same bits on the same machine.

    Attributes:
        data: Folder or file to learn from.
        objective: What is to be learnt.
        architecture: Of a network with random weights; empty where `source` is given.
        source: A backbone whose pre-training goes on (`--from`); empty for none.
        teacher: A backbone to learn from besides the labels; empty for none.
        held_out: Texts to watch the run by; empty for a part of `data`.
        tokenizer: `train`, or a backbone whose tokenizer is taken; empty for what goes with the start.
        recipe: How.
        seed: Of every random choice.
    """

    data: str
    objective: ObjectiveName
    architecture: str
    source: str
    teacher: str
    held_out: str
    tokenizer: str
    recipe: Recipe
    seed: int
