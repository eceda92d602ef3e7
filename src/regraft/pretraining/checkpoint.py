"""One file that says where a run stands: written whole, or not at all."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import AdamW

from regraft.core import OptionError

CHECKPOINT = "checkpoint.safetensors"


def write_checkpoint(folder: Path, identity: str, step: int, learner: nn.Module, optimiser: AdamW) -> None:
    """Replace the run's checkpoint: weights, statistics and moments after `step` steps."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"now/{name}": one for name, one in learner.state_dict().items()}
    for number, parameter in enumerate(_parameters(optimiser)):
        state = optimiser.state.get(parameter, {})
        for moment in ("exp_avg", "exp_avg_sq"):
            if moment in state:
                tensors[f"{moment}/{number}"] = state[moment]
    draft = folder / f"{CHECKPOINT}.draft"
    # Tied weights share their memory, which the format refuses: each name gets its own copy.
    copies = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
    save_file(copies, draft, {"identity": identity, "step": str(step)})
    draft.replace(folder / CHECKPOINT)


def read_checkpoint(folder: Path, identity: str, learner: nn.Module, optimiser: AdamW) -> int:
    """Put learner and optimiser where the checkpoint left them; how many steps were done, 0 without one.

    Raises:
        OptionError: It is damaged, or of another run.
    """
    file = folder / CHECKPOINT
    if not file.exists():
        return 0
    try:
        with safe_open(file, framework="pt") as opened:
            metadata: dict[str, str] = opened.metadata()
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise OptionError(f"{file}: damaged ({error}); remove {folder.parent} and start again") from error
    if metadata["identity"] != identity:
        raise OptionError(
            f"--resume: {folder.parent} was begun with another recipe, architecture or other data; "
            "give the same options, or another --out"
        )
    step = int(metadata["step"])
    learner.load_state_dict({name.removeprefix("now/"): one for name, one in tensors.items() if name[:4] == "now/"})
    for number, parameter in enumerate(_parameters(optimiser)):
        if f"exp_avg/{number}" in tensors:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(step), device=parameter.device),
                "exp_avg": _like(parameter, tensors[f"exp_avg/{number}"]),
                "exp_avg_sq": _like(parameter, tensors[f"exp_avg_sq/{number}"]),
            }
    return step


def steps_done(folder: Path) -> int:
    """The steps that a run's checkpoint stands for; 0 without one that can be read."""
    try:
        with safe_open(folder / CHECKPOINT, framework="pt") as opened:
            return int(opened.metadata()["step"])
    except (SafetensorError, OSError):
        return 0


def _parameters(optimiser: AdamW) -> list[nn.Parameter]:
    return [one for group in optimiser.param_groups for one in group["params"]]


def _like(parameter: Tensor, values: Tensor) -> Tensor:
    """The values in the parameter's own memory layout, which the fused optimiser relies on."""
    return torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(values).detach()
