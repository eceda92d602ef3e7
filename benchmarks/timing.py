"""Paired timings, in turn within one run: quote the ratios, since machines are noisy.

    uv run python benchmarks/timing.py second-fit     a second fit on the same data, features part
    uv run python benchmarks/timing.py partial        partial fine-tuning with and without the store
    uv run python benchmarks/timing.py pictures       first pass over pictures against a plain timm loop
    uv run python benchmarks/timing.py texts          first pass over texts against sentence-transformers
    uv run python benchmarks/timing.py roof           the machine's own limits: matrix products, decoding

Needs the real data (REGRAFT_SHARED or ../shared). Rows are appended to results/timing.jsonl.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from regraft import api
from regraft.activations.extract import pooled_features
from regraft.core import ImageSample, Split

RESULTS = Path(__file__).parent / "results" / "timing.jsonl"
SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
WEIGHTS = str(SHARED / "models" / "mobilenetv2_100.imagenet")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def report(name: str, **values: object) -> None:
    row = {"benchmark": name, "threads": torch.get_num_threads(), **values}
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row, indent=1))


def rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def second_fit(rounds: int) -> None:
    """The features part of a second fit on the same data."""
    task = api.open_task(SHARED / "data" / "vision" / "flowers5")
    firsts, seconds = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["REGRAFT_CACHE"] = folder
            for times in (firsts, seconds):
                model = api.fit(task, "feature-extraction", backbone=WEIGHTS)
                times.append(model.run.seconds["features"])
    ratios = [first / second for first, second in zip(firsts, seconds, strict=True)]
    report(
        "second-fit",
        first_seconds=rounded(firsts),
        second_seconds=rounded(seconds),
        median_ratio=round(statistics.median(ratios), 1),
    )


def partial(rounds: int) -> None:
    """Ten epochs with two thirds of the stages frozen, from the store and recomputed; the same plan otherwise."""
    task = api.open_task(SHARED / "data" / "vision" / "blood_cells")
    rows: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for seed in range(rounds):
        for cache in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["REGRAFT_CACHE"] = folder
                settings = api.Settings(boundary="67%", epochs=10, cache=cache, seed=seed)
                model = api.fit(task, "partial-fine-tuning", backbone=WEIGHTS, settings=settings)
            spent = model.run.seconds["features"] + model.run.seconds["training"]
            rows[cache].append((spent, model.results["test"]["accuracy"]))
    ratios = [plain[0] / stored[0] for stored, plain in zip(rows[True], rows[False], strict=True)]
    report(
        "partial",
        stored=[rounded(list(row)) for row in rows[True]],
        recomputed=[rounded(list(row)) for row in rows[False]],
        median_ratio=round(statistics.median(ratios), 2),
    )


def pictures(rounds: int, count: int) -> None:
    """A first pass over pictures in files, decoding included, against timm's own transform in a DataLoader."""
    import timm
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset

    task = api.open_task(SHARED / "data" / "vision" / "flowers5")
    splits = [task.train, task.validation, task.splits["test"]]
    files = [one.path for split in splits for one in split.samples if isinstance(one, ImageSample)][:count]
    reference = timm.create_model(f"local-dir:{WEIGHTS}", pretrained=True, num_classes=0).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(reference), is_training=False)

    class Files(Dataset[torch.Tensor]):
        def __len__(self) -> int:
            return len(files)

        def __getitem__(self, index: int) -> torch.Tensor:
            return transform(Image.open(files[index]).convert("RGB"))

    def plain() -> np.ndarray:
        with torch.inference_mode():
            return torch.cat([reference(batch) for batch in DataLoader(Files(), batch_size=32, num_workers=2)]).numpy()

    backbone = api.load_backbone(WEIGHTS)
    samples = [ImageSample(file, file, str(number)) for number, file in enumerate(files)]

    def ours(precision: str) -> Any:
        return pooled_features(backbone, samples, None, stages=[len(backbone.outline) - 1], precision=precision)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["REGRAFT_CACHE"] = folder
        ours("fp32")  # converts the trunk once; later starts find it on disk
        times: dict[str, list[float]] = {"timm": [], "fp32": [], "bf16": []}
        last: dict[str, Any] = {}
        for _ in range(rounds):
            for name, work in (("timm", plain), ("fp32", lambda: ours("fp32")), ("bf16", lambda: ours("bf16"))):
                seconds, last[name] = timed(work)
                times[name].append(seconds)
    rates = {name: len(files) / statistics.median(values) for name, values in times.items()}
    report(
        "pictures",
        files=len(files),
        images_per_second={name: round(rate, 1) for name, rate in rates.items()},
        ratio_fp32=round(statistics.median(a / b for a, b in zip(times["timm"], times["fp32"], strict=True)), 2),
        ratio_bf16=round(statistics.median(a / b for a, b in zip(times["timm"], times["bf16"], strict=True)), 2),
        engines=[last["fp32"][1].engine, last["bf16"][1].engine],
        engine_error_fp32=last["fp32"][1].relative_error,
    )


def texts(rounds: int, count: int) -> None:
    """A first pass over sst2 against sentence-transformers' `encode`, and what a probe makes of either."""
    from sentence_transformers import SentenceTransformer

    from regraft.backbones.bundled import bundled_folder

    task = api.open_task(SHARED / "data" / "text" / "sst2")
    train, test = task.train, task.splits["test"]
    part = Split(train.samples[:count], train.targets[:count])
    encoder = SentenceTransformer(str(bundled_folder("minilm")), device="cpu", local_files_only=True)
    backbone = api.load_backbone("bundled:minilm")
    last_stage = [len(backbone.outline) - 1]

    def theirs(split: Split) -> np.ndarray:
        return encoder.encode([one.text for one in split.samples], normalize_embeddings=False)

    def ours(split: Split, precision: str) -> np.ndarray:
        return pooled_features(backbone, split.samples, None, stages=last_stage, precision=precision)[0][0]

    with tempfile.TemporaryDirectory() as folder:
        os.environ["REGRAFT_CACHE"] = folder
        for precision in ("fp32", "bf16", "int8"):
            ours(part, precision)  # converts the trunk once; later starts find it on disk
        works: dict[str, Callable[[Split], np.ndarray]] = {
            "sentence-transformers": theirs,
            "fp32": lambda split: ours(split, "fp32"),
            "bf16": lambda split: ours(split, "bf16"),
            "int8": lambda split: ours(split, "int8"),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                times[name].append(timed(lambda work=work: work(part))[0])
        accuracy = {name: probe(work(part), part, work(test), test) for name, work in works.items()}
    base = times["sentence-transformers"]
    report(
        "texts",
        texts=len(part),
        seconds={name: rounded(values) for name, values in times.items()},
        ratio_fp32=round(statistics.median(a / b for a, b in zip(base, times["fp32"], strict=True)), 2),
        ratio_bf16=round(statistics.median(a / b for a, b in zip(base, times["bf16"], strict=True)), 2),
        ratio_int8=round(statistics.median(a / b for a, b in zip(base, times["int8"], strict=True)), 2),
        probe_accuracy=accuracy,
    )


def probe(train: np.ndarray, split: Split, test: np.ndarray, held: Split) -> float:
    """Test accuracy of one logistic regression, the same for all."""
    scaler = StandardScaler().fit(train)
    model = LogisticRegression(C=0.01, max_iter=1000).fit(scaler.transform(train), split.targets)
    return float(model.score(scaler.transform(test), held.targets))


def roof() -> None:
    """Matrix products and decoding, the two limits of a first pass."""
    size = 2048
    rates = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(size, size, dtype=dtype), torch.randn(size, size, dtype=dtype)
        best = min(timed(lambda a=a, b=b: a @ b)[0] for _ in range(8))
        rates[name] = round(2 * size**3 / best / 1e9)
    backbone = api.load_backbone(WEIGHTS)
    samples = api.open_task(SHARED / "data" / "vision" / "flowers5").train.samples[:200]
    seconds = min(timed(lambda: [backbone.preprocess(one) for one in samples])[0] for _ in range(3))
    report("roof", gemm_gflops=rates, decoded_images_per_second_one_thread=round(len(samples) / seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["second-fit", "partial", "pictures", "texts", "roof"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=600)
    arguments = parser.parse_args()
    if arguments.what == "second-fit":
        second_fit(arguments.rounds)
    elif arguments.what == "partial":
        partial(arguments.rounds)
    elif arguments.what == "pictures":
        pictures(arguments.rounds, arguments.count)
    elif arguments.what == "texts":
        texts(arguments.rounds, arguments.count)
    else:
        roof()


if __name__ == "__main__":
    main()
