"""Put a network that `regraft pretrain` made into the package, as bundled:resnet-small.

    uv run python benchmarks/bundle_vision.py RUN [RUN …]

RUN: folders that `regraft pretrain` wrote, in the order in which each went on from the one before. Weights of the
last are stored as float16; card, log and recipes of all come along, without the places where they were made.
Prints the sha256 that belongs into src/regraft/backbones/bundled.py.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from regraft.backbones.checkpoints import WEIGHTS
from regraft.core import file_sha256

FOLDER = Path(__file__).resolve().parents[1] / "src" / "regraft" / "backbones" / "weights" / "resnet-small"
LICENSE = "research use (its source pictures are under ImageNet's terms)"


def main() -> None:
    runs = [Path(one) for one in sys.argv[1:]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    weights = load_file(runs[-1] / WEIGHTS)
    halved = {name: one.half() if one.is_floating_point() else one for name, one in weights.items()}
    lossy = [name for name, one in halved.items() if not torch.isfinite(one.float()).all()]
    if lossy:
        raise SystemExit(f"beyond float16: {lossy}")
    save_file(halved, FOLDER / WEIGHTS)
    (FOLDER / WEIGHTS).chmod(0o644)  # readable by whoever the package is installed for
    config = json.loads((runs[-1] / "config.json").read_text())
    config["pretrained_cfg"] |= {"tag": "resnet-small", "license": LICENSE}
    (FOLDER / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (FOLDER / "recipe.json").write_text(json.dumps([recipe(one, runs) for one in runs], indent=1) + "\n")
    lines = [
        json.dumps({"run": number, **json.loads(line)})
        for number, run in enumerate(runs, start=1)
        for line in (run / "log.jsonl").read_text().splitlines()
    ]
    (FOLDER / "log.jsonl").write_text("\n".join(lines) + "\n")
    print(file_sha256(FOLDER / WEIGHTS), f"{(FOLDER / WEIGHTS).stat().st_size / 1e6:.1f} MB")


def recipe(run: Path, runs: list[Path]) -> dict[str, Any]:
    """The call of a run, with names instead of places."""
    call: dict[str, Any] = json.loads((run / "recipe.json").read_text())
    for key in ("data", "teacher", "source"):
        call[key] = Path(call[key]).name
    if call["source"] == "bundled:resnet-small":  # it went on from what was in the package
        call["source"] = f"run {runs.index(run)}"
    elif call["source"]:
        call["source"] = f"run {1 + [one.name for one in runs].index(call['source'])}"
    return call


if __name__ == "__main__":
    main()
