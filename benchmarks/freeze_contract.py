"""Is what was frozen still the same after training? Our engine beside the loops people write.

    uv run python benchmarks/freeze_contract.py

Random weights, random pictures: freezing does not depend on what they are. `drift`: bytes of frozen tensors
changed; `moved`: change of the frozen part's evaluation output; `mismatch`: its output in training mode against
evaluation mode, both relative to the output's size.
"""

import json
from collections.abc import Callable
from pathlib import Path

import timm
import torch
from torch import nn

from regraft.activations.recipes import prefix_hash
from regraft.backbones.contract import Backbone, stage_parameters
from regraft.backbones.timm_source import build_timm
from regraft.core import Passport, Train
from regraft.running.freeze import apply_freeze
from regraft.running.optimise import build_optimiser, parameter_groups

NAMES = (
    "resnet18",
    "resnet50",
    "vgg11_bn",
    "mobilenetv1_100",
    "mobilenetv2_100",
    "mobilenetv3_small_100",
    "efficientnet_b0",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "deit_tiny_patch16_224",
    "regnetx_002",
    "densenet121",
)
STEPS = 5
RESULTS = Path(__file__).parent / "results" / "freeze_contract.jsonl"


def build(name: str) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_timm(timm.create_model(name, drop_rate=0.2), name, {}, Passport(name, f"scratch:{name}"))


def output(backbone: Backbone, frozen: int, pixels: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return backbone.run((pixels,), 0, frozen)[0].clone()


def flag_only(backbone: Backbone, phase: Train) -> None:
    """What most tutorials write: no gradient, and the trainer calls `.train()`."""
    for stage in range(phase.frozen):
        for parameter in stage_parameters(backbone, stage).values():
            parameter.requires_grad_(False)
    backbone.module.train()


def measure(name: str, freeze: Callable[[Backbone, Train], None]) -> dict[str, object]:
    backbone = build(name)
    stages = len(backbone.outline)
    frozen = max(stages * 2 // 3, 1) if stages > 1 else 0
    phase = Train(epochs=1, rates=(0.0,) * frozen + (1e-3,) * (stages - frozen), head_rate=1e-2)
    head = nn.Linear(backbone.outline.stages[-1].width, 5)
    rng = torch.Generator().manual_seed(0)
    size = backbone.preprocess.size  # type: ignore[attr-defined]
    pixels = torch.randn(4, 3, *size, generator=rng)
    shifted = [torch.randn(4, 3, *size, generator=rng) * 1.5 + 0.5 for _ in range(STEPS)]
    before, first = prefix_hash(backbone, frozen), output(backbone, frozen, pixels) if frozen else None
    freeze(backbone, phase)
    optimiser = build_optimiser(parameter_groups(backbone, head, phase))
    for batch in shifted:
        freeze(backbone, phase)
        loss = nn.functional.cross_entropy(
            head(backbone.pool(backbone.run((batch,), 0, stages), stages - 1)), torch.arange(4)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    freeze(backbone, phase)
    training = output(backbone, frozen, pixels)
    drift = prefix_hash(backbone, frozen) != before
    backbone.module.eval()
    serving = output(backbone, frozen, pixels)
    scale = float(serving.abs().mean())
    return {
        "architecture": name,
        "frozen": f"{frozen} of {stages}",
        "drift": drift,
        "moved": round(float((serving - first).abs().mean()) / scale, 4) if first is not None else 0.0,
        "mismatch": round(float((training - serving).abs().mean()) / scale, 4),
    }


def main() -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    rows = []
    for label, freeze in (("regraft", apply_freeze), ("requires_grad=False only", flag_only)):
        for name in NAMES:
            rows.append({"loop": label, **measure(name, freeze)})
            print(json.dumps(rows[-1]))
    RESULTS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ours = [row for row in rows if row["loop"] == "regraft"]
    bad = [row["architecture"] for row in ours if row["drift"] or row["moved"] or row["mismatch"]]
    print(f"regraft: {len(ours) - len(bad)} of {len(ours)} architectures with 0 drift and 0 mismatch", *bad)


if __name__ == "__main__":
    main()
