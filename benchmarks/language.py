"""Pre-training on text: what it does to perplexity and to the tasks it is for.

    uv run python benchmarks/language.py mlm        # bundled:minilm goes on, on corpus/general
    uv run python benchmarks/language.py domain     # the result of it goes on, on corpus/biomed
    uv run python benchmarks/language.py clm        # a small GPT-2 from its beginning, then sst2

One row per figure in results/language.jsonl; backbones are kept in runs/language and not trained twice. `--epochs`
makes any of them shorter.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from regraft import api
from regraft.core import Split, Task
from regraft.pretraining.recipes import Causal, Masked, Schedule, departing, preset
from regraft.tasks import few_shot

RESULTS = Path(__file__).parent / "results" / "language.jsonl"
RUNS = Path(__file__).resolve().parents[1] / "runs" / "language"
# Strategy, rate of the last stage, rate of each stage as a share of the next one's.
TRIED: tuple[tuple[str, float, float | None], ...] = (
    ("full-fine-tuning", 2e-4, None),
    ("full-fine-tuning", 1e-3, None),
    ("full-fine-tuning", 1e-3, 1.0),
    ("from-scratch", 5e-4, None),
    ("from-scratch", 1e-3, None),
    ("from-scratch", 2e-3, None),
)
CHOSEN = (TRIED[2], TRIED[3])  # by validation
FEW = 50  # labels a class
GENERAL = ("books", "technical", "speeches", "handbook", "mixed")


def shared_folder() -> Path:
    """The folder of real data and weights."""
    return Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def record(**row: Any) -> None:
    """Keep a figure."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(row, file=sys.stderr)


def general_texts() -> Path:
    """The held-out general texts in one folder of their own: biomed.txt stands beside them."""
    folder = RUNS / "valid-general"
    folder.mkdir(parents=True, exist_ok=True)
    for name in GENERAL:
        text = (shared_folder() / "data" / "corpus" / "valid" / f"{name}.txt").read_text()
        (folder / f"{name}.txt").write_text(text)
    return folder


def trained(name: str, data: Path, objective: Any, **options: Any) -> Path:
    """A backbone, trained unless it is there; its held-out curve is recorded."""
    out = RUNS / name
    if not (out / "config.json").exists():
        resume = (out / "run").exists()
        api.pretrain(
            data, objective, out=out, resume=resume, on_report=lambda one: print(one, file=sys.stderr), **options
        )
        for line in (out / "log.jsonl").read_text().splitlines():
            report = json.loads(line)
            if report["metrics"]:
                record(run=name, step=report["step"], steps=report["steps"], **report["metrics"])
    return out


def perplexity(backbone: str, texts: Path, objective: Any) -> float:
    """Of held-out texts, without training: one step at a rate of nothing, then the whole held-out part."""
    from regraft.pretraining.call import Call
    from regraft.pretraining.language_work import language_objective

    kind = Masked if objective == "mlm" else Causal
    call = Call(str(texts), objective, "", backbone, "", str(texts), "", kind(), 0)
    prepared, _, _ = language_objective(call, RUNS, offline=True, progress=None)
    return prepared.held_out("cpu", all_of_it=True)["perplexity"]


def accuracy(task: str, backbone: str, strategy: str, seed: int, **settings: Any) -> float:
    """Test accuracy of one fit."""
    data = api.open_task(shared_folder() / "data" / "text" / task)
    model = api.fit(data, strategy, backbone=backbone, settings=api.Settings(seed=seed, **settings))
    return float(model.results["test"]["accuracy"])


def mlm(epochs: float) -> Path:
    """General text: perplexity of held-out general texts falls along the run."""
    corpus = shared_folder() / "data" / "corpus"
    recipe = departing(preset("domain", "mlm").recipe, epochs=epochs, learning_rate=2e-4)
    return trained(
        "minilm-general", corpus / "general", "mlm", source="bundled:minilm", recipe=recipe, held_out=general_texts()
    )


def domain(epochs: float, seeds: int) -> None:
    """Biomedical text: what it gains there, what it costs elsewhere."""
    corpus = shared_folder() / "data" / "corpus"
    before = mlm(0.15)
    recipe = departing(preset("domain", "mlm").recipe, epochs=epochs)
    biomed = corpus / "valid" / "biomed.txt"
    after = trained("minilm-biomed", corpus / "biomed", "mlm", source=str(before), recipe=recipe, held_out=biomed)
    for name, backbone in (("before", before), ("after", after)):
        record(figure="biomed perplexity", when=name, value=perplexity(str(backbone), biomed, "mlm"))
        record(figure="general perplexity", when=name, value=perplexity(str(backbone), general_texts(), "mlm"))
        for seed in range(seeds):
            value = accuracy("chemprot", str(backbone), "feature-extraction", seed)
            record(figure="chemprot accuracy, feature extraction", when=name, seed=seed, value=value)


def clm(epochs: float, seeds: int) -> None:
    """A GPT-2 of 4 layers and 256 dimensions: pre-trained against random start on sst2.

    Both are tuned alike: three settings each, of which validation chooses, on average over the seeds. Then the network goes
    on on the texts of the training part, without their labels (Gururangan 2020, section 4), and is tuned as was chosen.
    """
    corpus = shared_folder() / "data" / "corpus"
    recipe = Causal(Schedule(epochs=epochs, batch_size=16, learning_rate=1e-3, weight_decay=0.01, clip_norm=1.0))
    out = trained(
        "gpt2-mini", corpus / "general", "clm", architecture="gpt2-mini", recipe=recipe, held_out=general_texts()
    )
    data = api.open_task(shared_folder() / "data" / "text" / "sst2")
    for seed in range(seeds):
        for strategy, rate, decay in TRIED:
            tuned(data, out, strategy, api.Settings(seed=seed, learning_rate=rate, layer_decay=decay))
        few = few_shot(data, FEW, seed)
        tuned(few, out, "feature-extraction", api.Settings(seed=seed, boundary="all"), labels=FEW)
        for strategy, rate, decay in CHOSEN:
            tuned(few, out, strategy, api.Settings(seed=seed, learning_rate=rate, layer_decay=decay), labels=FEW)
    recipe = Causal(
        Schedule(epochs=10, batch_size=16, learning_rate=3e-4, weight_decay=0.01, clip_norm=1.0), dropout=0.1
    )
    texts, held = plain("sst2-texts", data.train), plain("sst2-held", data.validation)
    adapted = trained("gpt2-mini-sst2", texts, "clm", source=str(out), recipe=recipe, held_out=held)
    strategy, rate, decay = CHOSEN[0]
    for seed in range(seeds):
        tuned(data, adapted, strategy, api.Settings(seed=seed, learning_rate=rate, layer_decay=decay))


def plain(name: str, split: Split) -> Path:
    """The texts of a split without their labels, one a line."""
    folder = RUNS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.txt").write_text("".join(f"{one.text}\n" for one in split.samples))  # type: ignore[union-attr]
    return folder


def tuned(data: Task, backbone: Path, strategy: str, settings: api.Settings, labels: int = 0) -> None:
    """A row of one fit: validation, which may choose, and test, which may not."""
    found = api.fit(data, strategy, backbone=str(backbone), settings=settings).results
    said = {"seed": settings.seed, "rate": settings.learning_rate, "layer_decay": settings.layer_decay}
    reached = {part: found[part]["accuracy"] for part in ("validation", "test")}
    record(figure=f"sst2, {strategy}", backbone=backbone.name, labels_per_class=labels or "all", **said, **reached)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["mlm", "domain", "clm"])
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.what == "mlm":
        mlm(arguments.epochs)
    elif arguments.what == "domain":
        domain(arguments.epochs, arguments.seeds)
    else:
        clm(arguments.epochs, arguments.seeds)


if __name__ == "__main__":
    main()
