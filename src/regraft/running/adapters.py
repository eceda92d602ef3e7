"""Low-rank adapters by peft: put beside the weights, written in its format, and merged into them."""

import tempfile
from pathlib import Path

import peft
import torch
from transformers.pytorch_utils import Conv1D

from regraft.backbones.contract import Backbone
from regraft.backbones.ownership import is_dense, is_owned
from regraft.core import BackboneError, Train

MARK = "lora_"  # in the name of every tensor that peft adds
Files = dict[str, bytes]


class Adapted:
    """A trunk whose dense layers have adapters; the weights themselves are frozen."""

    def __init__(self, backbone: Backbone, phase: Train, seed: int) -> None:
        """Put adapters into the stages that have a rate; the trunk's outputs stay what they were.

        Args:
            backbone: The trunk, on the CPU.
            phase: With its adapter and rates.
            seed: Of the adapters' random half; torch's global random state is left as it was.

        Raises:
            BackboneError: No layer in these stages can have one.
        """
        if phase.adapter is None:
            raise ValueError("the phase has no adapter")
        names = _dense_layers(backbone, phase)
        if not names:
            raise BackboneError(
                f"{backbone.outline.name}: no dense layer in its trained stages for lora to stand beside"
            )
        self._backbone = backbone
        config = peft.LoraConfig(
            r=phase.adapter.rank,
            lora_alpha=phase.adapter.alpha,
            lora_dropout=phase.adapter.dropout,
            target_modules=names,
            # GPT-2 keeps its weights as (in, out); no family mixes the two forms.
            fan_in_fan_out=isinstance(backbone.module.get_submodule(names[0]), Conv1D),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._model = peft.get_peft_model(backbone.module, config)

    def files(self) -> Files:
        """The adapter as peft saves it: `adapter_config.json` and `adapter_model.safetensors`."""
        with tempfile.TemporaryDirectory() as folder:
            self._model.save_pretrained(folder, safe_serialization=True)
            return {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir()) if file.name != "README.md"}

    def merge(self) -> None:
        """Add the adapters to the weights; the trunk is then made of the layers that it had before."""
        self._model.merge_and_unload()


def _dense_layers(backbone: Backbone, phase: Train) -> list[str]:
    """Full names of the dense layers and ordinary convolutions in the stages that have a rate."""
    owned = [name for stage, rate in zip(backbone.outline, phase.rates, strict=True) if rate for name in stage.modules]
    return [name for name, module in backbone.module.named_modules() if is_owned(name, owned) and is_dense(module)]
