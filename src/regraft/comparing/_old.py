"""Strategies side by side over seeds and shots, from scratch included; every trial is kept and never run twice."""

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from regraft import api
from regraft.backbones.contract import Backbone
from regraft.core import OptionError, Split, Task
from regraft.core.plan import SOLVED
from regraft.model import Model
from regraft.strategies import STRATEGIES, strategy_named
from regraft.tasks import few_shot

SCRATCH = "from-scratch"
RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trial:
    """One strategy, once.

    Attributes:
        strategy: Its name.
        boundary: The last frozen stage.
        shots: Training samples per class, or `all`.
        seed: Of the run.
        metric: Accuracy on the test part (on validation where there is none).
        validation: Accuracy on the validation part.
        correct: Of each test sample, in order: 1 right, 0 wrong.
        seconds: Wall time.
        training_seconds: Wall time without evaluation.
        trainable_parameters: How many.
    """

    strategy: str
    boundary: str
    shots: str
    seed: int
    metric: float
    validation: float
    correct: tuple[int, ...]
    seconds: float
    training_seconds: float
    trainable_parameters: int


@dataclass(frozen=True)
class Summary:
    """A strategy over its seeds; `low` and `high` bound the mean with 95 % confidence."""

    strategy: str
    shots: str
    mean: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True)
class TransferGain:
    """The best transferred strategy against from scratch, at the largest number of shots.

    Attributes:
        strategy: The transferred strategy that is compared.
        accuracy: Mean difference in accuracy.
        low: Of its paired 95 % bootstrap interval.
        high: Of the same.
        compute_saved: Share of the seconds from scratch that were not needed; negative if more were.
        labels_saved: How many fewer labels reach what scratch reaches with all; None unless several shots ran.
    """

    strategy: str
    accuracy: float
    low: float
    high: float
    compute_saved: float
    labels_saved: int | None


@dataclass(frozen=True)
class Comparison:
    """What `compare` found."""

    trials: tuple[Trial, ...]
    summaries: tuple[Summary, ...]
    gain: TransferGain | None
    report: Path


def compare(  # noqa: PLR0913 - what a caller may say
    task: Task,
    out: str | Path,
    *,
    strategies: Sequence[str] = (),
    backbone: str = "auto",
    seeds: int = 3,
    shots: Sequence[int | None] = (None,),
    settings: api.Settings | None = None,
    resources: api.Resources | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> Comparison:
    """Run each strategy at each number of shots with each seed, and compare.

    Args:
        task: Labelled data.
        out: Folder for the report, the rows and the trials; a second call goes on where one was interrupted.
        strategies: Names; empty = all there are.
        backbone: As `--backbone` takes it.
        seeds: How many, from `settings.seed` on.
        shots: Training samples per class; None = all.
        settings: For every trial; a strategy takes those it has a use for.
        resources: Device, precision, cache.
        on_trial: Called after each trial.
    """
    chosen = [strategy_named(name).name for name in strategies] or [one.name for one in STRATEGIES]
    settings, resources, folder = settings or api.Settings(), resources or api.Resources(), Path(out)
    for strategy in chosen:  # a wrong option leaves no folder behind
        api.prepare(task, strategy, backbone, _applicable(strategy, settings), resources)
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--out {folder}: cannot be made ({error.strerror}); name another folder") from error
    trials = []
    for number in shots:
        for seed in range(settings.seed, settings.seed + seeds):
            part = task if number is None else few_shot(task, number, seed)
            for strategy in chosen:
                trial = _trial(part, strategy, backbone, number, replace(settings, seed=seed), resources, folder)
                trials.append(trial)
                if on_trial is not None:
                    on_trial(trial)
    summaries = tuple(_summaries(trials))
    gain = _gain(trials, summaries, len(task.classes))
    report = _write(folder, task, trials, summaries, gain)
    return Comparison(tuple(trials), summaries, gain, report)


def _trial(
    task: Task,
    strategy: str,
    backbone: str,
    shots: int | None,
    settings: api.Settings,
    resources: api.Resources,
    folder: Path,
) -> Trial:
    """One trial, or what it found when it ran before."""
    prepared = api.prepare(task, strategy, backbone, _applicable(strategy, settings), resources)
    passport = prepared.backbone.passport
    identity = json.dumps(
        [prepared.plan.to_json(), passport.source, passport.sha256, task.fingerprint, resources.precision]
    )
    file = folder / "trials" / f"{hashlib.sha256(identity.encode()).hexdigest()}.json"
    if file.exists():
        data = json.loads(file.read_text(encoding="utf-8"))
        return Trial(**{**data, "correct": tuple(data["correct"])})
    model = api.fit(task, prepared, resources=resources)
    trial = _measured(model, prepared.backbone, task, shots, settings.seed)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    draft.replace(file)
    return trial


def _applicable(strategy: str, settings: api.Settings) -> api.Settings:
    """The settings that a strategy has a use for: others would be refused."""
    drop: dict[str, Any] = {}
    if strategy not in {"partial-fine-tuning", "gradual-unfreezing", "lora"}:
        drop["boundary"] = None
    if strategy in {"feature-extraction", "lora", "from-scratch"}:
        drop |= {"penalty": None, "penalty_strength": None}
    if strategy in {"feature-extraction", "lora"}:
        drop["batch_norm"] = None
    if strategy == "feature-extraction":
        if settings.head in {None, *SOLVED}:
            drop |= {"epochs": None, "learning_rate": None, "batch_size": None}
    elif settings.head in SOLVED:
        drop["head"] = None
    return replace(settings, **drop)


def _measured(model: Model, backbone: Backbone, task: Task, shots: int | None, seed: int) -> Trial:
    split: Split = task.test or task.validation
    right = model.probabilities(split.samples).argmax(axis=1) == np.asarray(split.targets)
    frozen = model.run.plan.frozen(backbone.outline)
    return Trial(
        strategy=model.run.plan.strategy,
        boundary=backbone.outline.boundary_name(frozen),
        shots="all" if shots is None else str(shots),
        seed=seed,
        metric=float(right.mean()),
        validation=float(model.results["validation"]["accuracy"]) if "validation" in model.results else float("nan"),
        correct=tuple(map(int, right)),
        seconds=model.run.seconds["total"],
        training_seconds=model.run.seconds["features"] + model.run.seconds["training"],
        trainable_parameters=model.trainable_parameters,
    )


def _grouped(trials: Sequence[Trial]) -> dict[tuple[str, str], list[Trial]]:
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.strategy, trial.shots].append(trial)
    return groups


def _summaries(trials: Sequence[Trial]) -> list[Summary]:
    """Means with bootstrap intervals over seeds and test samples."""
    rows = []
    for (strategy, shots), group in _grouped(trials).items():
        draws = _resampled(np.array([trial.correct for trial in group], dtype=float))
        low, high = _interval(draws)
        mean = float(np.mean([trial.metric for trial in group]))
        rows.append(Summary(strategy, shots, mean, low, high, float(np.median([trial.seconds for trial in group]))))
    return rows


def _resampled(values: "np.ndarray[Any, np.dtype[np.float64]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Means of (seeds, samples) under resampling of both."""
    rng = np.random.default_rng(0)
    seeds, samples = values.shape
    weights = rng.multinomial(samples, np.full(samples, 1 / samples), size=RESAMPLES) / samples
    chosen = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
    draws: np.ndarray[Any, np.dtype[np.float64]] = np.einsum("rs,sn,rn->r", chosen, values, weights)
    return draws


def _interval(draws: "np.ndarray[Any, np.dtype[np.float64]]") -> tuple[float, float]:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def _gain(trials: Sequence[Trial], summaries: Sequence[Summary], classes: int) -> TransferGain | None:
    """The strategy with the best validation accuracy against scratch; chosen without a look at the test part."""
    groups = _grouped(trials)
    if not trials or (SCRATCH, trials[-1].shots) not in groups:
        return None
    shots = trials[-1].shots
    scratch = groups[SCRATCH, shots]
    others = {name: group for (name, number), group in groups.items() if number == shots and name != SCRATCH}
    if not others:
        return None
    best = max(others, key=lambda name: np.mean([trial.validation for trial in others[name]]))
    differences = np.array([one.correct for one in others[best]], float) - np.array(
        [one.correct for one in scratch], float
    )
    low, high = _interval(_resampled(differences))
    seconds = {
        name: np.median([one.training_seconds for one in group])
        for name, group in (("t", others[best]), ("s", scratch))
    }
    return TransferGain(
        strategy=best,
        accuracy=float(differences.mean()),
        low=low,
        high=high,
        compute_saved=float(1 - seconds["t"] / seconds["s"]),
        labels_saved=_labels_saved(summaries, best, shots, classes),
    )


def _labels_saved(summaries: Sequence[Summary], best: str, shots: str, classes: int) -> int | None:
    """Fewest shots at which `best` is at least as good as scratch with `shots`, as labels saved; None if unknown."""
    means = {(row.strategy, row.shots): row.mean for row in summaries}
    enough = [
        int(row.shots)
        for row in summaries
        if row.strategy == best and row.shots != "all" and row.mean >= means[SCRATCH, shots]
    ]
    if not enough or shots == "all":
        return None
    return (int(shots) - min(enough)) * classes


def _write(
    folder: Path, task: Task, trials: Sequence[Trial], summaries: Sequence[Summary], gain: TransferGain | None
) -> Path:
    """The rows as CSV and the report as Markdown."""
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["strategy", "boundary", "shots", "seed", "metric", "seconds", "trainable_parameters"])
        for one in trials:
            writer.writerow(
                [one.strategy, one.boundary, one.shots, one.seed, one.metric, one.seconds, one.trainable_parameters]
            )
    lines = [
        f"# {task.name}: strategies compared",
        "",
        f"{task.kind}, {len(task.classes)} classes, {len(task.train)} training samples. Accuracy on "
        f"{'the test part' if task.test else 'the validation part'}; intervals are 95 % bootstrap over seeds and samples.",
        "",
        "| strategy | shots | accuracy | 95 % interval | seconds (median) |",
        "| --- | --- | ---: | --- | ---: |",
    ]
    lines += [
        f"| {row.strategy} | {row.shots} | {row.mean:.3f} | {row.low:.3f} to {row.high:.3f} | {row.seconds:.1f} |"
        for row in summaries
    ]
    lines += ["", gain_sentence(gain), ""]
    report = folder / "report.md"
    report.write_text("\n".join(lines), encoding="utf-8")
    return report


def gain_sentence(gain: TransferGain | None) -> str:
    """What transfer gained, in one sentence; negative transfer is said loudly."""
    if gain is None:
        return "Nothing was trained from scratch, so that the gain of transfer is not known."
    told = f"{gain.strategy} against from scratch: {100 * gain.accuracy:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
    if gain.high < 0:
        return f"NEGATIVE TRANSFER: {told}. Training from scratch is better here."
    if gain.low <= 0:
        return f"{told}: no difference that this data can show."
    return f"{told}, with {100 * gain.compute_saved:.0f} % of the training time saved."
