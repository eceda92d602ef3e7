"""Peak memory of a first pass over 1,000 and over 20,000 pictures (files repeated), each in a process of its own.

    uv run python benchmarks/memory.py [--counts 1000,20000]

Stated before the run: the peak may grow by the matrix that is returned (4 bytes x 1,280 a picture) and by the
memory-mapped pages of the shards, which the system takes back when it needs them; by nothing else.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "memory.jsonl"


def one(count: int) -> None:
    """One pass in this process; prints its peak memory in MB."""
    from regraft import api
    from regraft.activations.extract import pooled_features
    from regraft.activations.store import ActivationStore
    from regraft.core import ImageSample

    backbone = api.load_backbone(str(SHARED / "models" / "mobilenetv2_100.imagenet"))
    files = sorted((SHARED / "data" / "vision" / "cifar10").rglob("*.png")) or sorted(
        (SHARED / "data" / "vision" / "cifar10").rglob("*.jpg")
    )
    samples = [ImageSample(str(files[i % len(files)]), str(files[i % len(files)]), f"{i:064}") for i in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        store = ActivationStore(Path(folder))
        (matrix,), _ = pooled_features(backbone, samples, store, stages=[len(backbone.outline) - 1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"pictures": count, "peak_mb": round(peak), "matrix_mb": round(matrix.nbytes / 2**20)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,20000")
    parser.add_argument("--one", type=int)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    RESULTS.parent.mkdir(exist_ok=True)
    for count in arguments.counts.split(","):
        command = [sys.executable, __file__, "--one", count]
        line = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(line, end="")
        with RESULTS.open("a") as file:
            file.write(line)


if __name__ == "__main__":
    main()
