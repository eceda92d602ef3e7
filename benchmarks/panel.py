"""CPU seconds of the whole panel of scores on 5,000 samples of 1,280 features (goal: 7 of them in 4 seconds).

    OMP_NUM_THREADS=1 uv run python benchmarks/panel.py

Features are drawn, ten Gaussian classes in a spectrum that falls as 1 / rank, as those of real trunks do roughly.
"""

import json
import time
from pathlib import Path

import numpy as np

from regraft.scores import SCORES, ScoreInputs

SAMPLES, WIDTH, CLASSES, SOURCE = 5000, 1280, 10, 1000
RESULTS = Path(__file__).parent / "results" / "panel.json"


def main() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, CLASSES, SAMPLES)
    scale = 1 / np.sqrt(np.arange(1, WIDTH + 1))
    features = (rng.normal(size=(CLASSES, WIDTH))[targets] + 2 * rng.normal(size=(SAMPLES, WIDTH))) * scale
    turned = features @ np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0] + 1
    logits = 3 * rng.normal(size=(SAMPLES, SOURCE))
    source = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    inputs = ScoreInputs(turned.astype(np.float32), targets, CLASSES, source)
    seconds = {"principal axes, shared": timed(lambda: inputs.centred)}
    for score in SCORES:
        seconds[score.name] = timed(lambda score=score: score.compute(inputs))  # type: ignore[misc]
    seconds["all"] = round(sum(seconds.values()), 3)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"samples": SAMPLES, "width": WIDTH, "cpu_seconds": seconds}, indent=1) + "\n")
    print(RESULTS.read_text())


def timed(work: object) -> float:
    """CPU seconds: the machine may be busy with other things."""
    begun = time.process_time()
    work()  # type: ignore[operator]
    return round(time.process_time() - begun, 3)


if __name__ == "__main__":
    main()
