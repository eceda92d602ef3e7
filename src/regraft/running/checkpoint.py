"""One file per run that says where it stands: written whole at the end of each epoch, or not at all."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from regraft.core import OptionError, Plan, Step

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Position:
    """Where a run stands, apart from its tensors.

    Attributes:
        phase: The phase that was running.
        epoch: Epochs of it that are finished.
        best_loss: The smallest validation loss so far.
        stale: Epochs since then.
        scale: What the rates were multiplied by after a divergence.
        steps: Everything that was reported.
    """

    phase: int = 0
    epoch: int = 0
    best_loss: float = float("inf")
    stale: int = 0
    scale: float = 1.0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A position with the tensors that go with it, under names such as `now/…`, `best/…`, `moment1/…`."""

    position: Position
    tensors: dict[str, Tensor] = field(repr=False)


def write_checkpoint(folder: Path, identity: str, checkpoint: Checkpoint) -> None:
    """Replace the run's checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{CHECKPOINT}.draft"
    metadata = {"identity": identity, "position": json.dumps(asdict(checkpoint.position))}
    save_file({name: one.detach().cpu().contiguous() for name, one in checkpoint.tensors.items()}, draft, metadata)
    draft.replace(folder / CHECKPOINT)


def read_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """The run's checkpoint, or None where no epoch was finished.

    Raises:
        OptionError: It is of another plan or other data.
    """
    file = folder / CHECKPOINT
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as opened:
            metadata: dict[str, str] = opened.metadata()
            tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise OptionError(f"{file}: damaged ({error}); remove {folder.parent} and start again") from error
    if metadata["identity"] != identity:
        raise OptionError(
            f"--resume: {folder.parent} was begun with another plan, backbone or other data; "
            "give the same options, or another --out"
        )
    data: dict[str, Any] = json.loads(metadata["position"])
    steps = tuple(Step(**step) for step in data.pop("steps"))
    return Checkpoint(Position(**data, steps=steps), tensors)


def run_identity(plan: Plan, trunk: str, fingerprint: str) -> str:
    """What must be the same for a run to be resumed."""
    return json.dumps({"plan": plan.to_json(), "trunk": trunk, "task": fingerprint}, sort_keys=True)
