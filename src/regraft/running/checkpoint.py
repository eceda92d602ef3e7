"""One file per run that says where it stands: written whole at the end of each epoch, or not at all."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from regraft.activations.engine import lowest_precision
from regraft.activations.recipes import prefix_hash
from regraft.backbones.contract import Backbone
from regraft.core import OptionError, Plan, Step
from regraft.running.devices import tunes_in_bf16

CHECKPOINT = "checkpoint.safetensors"
# What an identity is made of, as a refusal names it.
IDENTITY = {
    "plan": "another plan",
    "trunk": "another backbone",
    "preprocess": "another preprocessing",
    "task": "other data",
    "precision": "another --precision",
    "device": "another --device",
}


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
    draft = folder / f"{CHECKPOINT}.{os.getpid()}.draft"  # another process may run into the same folder
    metadata = {"identity": identity, "position": json.dumps(asdict(checkpoint.position))}
    save_file({name: one.detach().cpu().contiguous() for name, one in checkpoint.tensors.items()}, draft, metadata)
    draft.replace(folder / CHECKPOINT)


def read_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """The run's checkpoint, or None where no epoch was finished.

    Raises:
        OptionError: It is damaged, or of another plan, backbone, precision or device, or of other data.
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
            f"--resume: {folder.parent} was begun with {_differences(metadata['identity'], identity)}; "
            "give the same options, or another --out"
        )
    data: dict[str, Any] = json.loads(metadata["position"])
    steps = tuple(Step(**step) for step in data.pop("steps"))
    return Checkpoint(Position(**data, steps=steps), tensors)


def run_identity(plan: Plan, backbone: Backbone, content: str, device: str, precision: str) -> str:
    """What must be the same for a run to be resumed: it could not end with the same bits otherwise.

    Args:
        plan: What is run.
        backbone: The trunk as it is before the run.
        content: Fingerprint of the samples.
        device: As `resolve_device` returns it.
        precision: `auto`, `fp32`, `bf16` or `int8`; what it comes to on this machine counts.
    """
    low = tunes_in_bf16(backbone, device, precision)
    return json.dumps(
        {
            "plan": plan.to_json(),
            "trunk": prefix_hash(backbone, len(backbone.outline)),
            "preprocess": backbone.preprocess.fingerprint,
            "task": content,
            "precision": f"{lowest_precision(precision, backbone.kind, device)}/{'bf16' if low else 'fp32'}",
            "device": device.partition(":")[0],
        },
        sort_keys=True,
    )


def _differences(before: str, now: str) -> str:
    """What two identities differ in, in words."""
    old, new = json.loads(before), json.loads(now)
    told = [words for key, words in IDENTITY.items() if old.get(key) != new[key]]
    return ", ".join(told[:-1]) + (" and " if told[1:] else "") + told[-1]
