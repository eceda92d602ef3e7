"""A strategy compiled for one backbone: plain data, shown before a second of compute is spent."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from regraft.core.errors import PlanError
from regraft.core.outline import Outline

HeadKind = Literal["logistic", "ridge", "linear", "mlp", "token", "span"]
SOLVED: tuple[HeadKind, ...] = ("logistic", "ridge")  # the others are trained
BatchNorm = Literal["frozen", "adapt-statistics", "train"]
Start = Literal["pretrained", "random"]
ALL_STAGES = "all"  # the boundary of a head that reads every stage

# Inverse regularisation strengths tried by cross-validation.
DEFAULT_STRENGTHS = tuple(10.0**exponent for exponent in (-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 1))


@dataclass(frozen=True)
class Solve:
    """Fit a convex head on pooled features; the whole trunk is frozen.

    Attributes:
        strengths: Inverse regularisation strengths (scikit-learn's C on standardised features).
        folds: Of the cross-validation that chooses among them.
        taps: The stages whose pooled features are read, each by a regression of its own; empty = the last alone.
        cache: Store the features; False keeps nothing of them on disk.
    """

    strengths: tuple[float, ...] = DEFAULT_STRENGTHS
    folds: int = 5
    taps: tuple[int, ...] = ()
    cache: bool = True


@dataclass(frozen=True)
class Adapter:
    """Low-rank matrices beside frozen weights (Hu 2021, "LoRA").

    Attributes:
        rank: r; the matrices are r wide.
        alpha: What they add is scaled by alpha / r.
        dropout: Share of their input set to zero in training.
    """

    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05


PenaltyKind = Literal["l2-sp", "lwf", "replay"]


@dataclass(frozen=True)
class Penalty:
    """What holds the trunk near what it was: `l2-sp` its weights, `lwf` its answers, `replay` source samples.

    Attributes:
        kind: Which.
        strength: The term's factor.
    """

    kind: PenaltyKind
    strength: float


@dataclass(frozen=True)
class Train:
    """Train the head and every stage whose rate is above 0 by gradient descent.

    Attributes:
        epochs: The most that are run.
        rates: One learning rate per stage, input side first; 0.0 = frozen.
        head_rate: Learning rate of the head.
        batch_size: Samples per optimiser step.
        weight_decay: Of matrices and filters; biases and norms have none.
        warmup: Share of all steps over which the rates rise from 0.
        batch_norm: In the stages that train; frozen stages always keep theirs frozen.
        label_smoothing: Share of the target spread over all classes.
        clip_norm: Largest gradient norm over all trained parameters.
        patience: Epochs without a better validation loss before stopping early.
        augment: Random views of training samples instead of the one centred view.
        views: Augmented views stored per sample where a prefix is frozen; 0 = as the disk budget allows.
        cache: Store the activations at the boundary; False recomputes them at every step.
        adapter: Instead of their weights, low-rank matrices in the stages with a rate train.
        penalty: Added to the loss, so that less is forgotten.
    """

    epochs: int
    rates: tuple[float, ...]
    head_rate: float
    batch_size: int = 32
    weight_decay: float = 0.01
    warmup: float = 0.1
    batch_norm: BatchNorm = "frozen"
    label_smoothing: float = 0.0
    clip_norm: float = 1.0
    patience: int = 5
    augment: bool = True
    views: int = 0
    cache: bool = True
    adapter: Adapter | None = None
    penalty: Penalty | None = None

    @property
    def frozen(self) -> int:
        """How many leading stages are frozen."""
        return next((i for i, rate in enumerate(self.rates) if rate > 0), len(self.rates))


Phase = Solve | Train


@dataclass(frozen=True)
class Plan:
    """What will be run: phases in order, each saying what trains and at which rate.

    Attributes:
        strategy: The name of the strategy that wrote it.
        head: What is grafted on the trunk.
        phases: Run in order; each starts from where the last ended.
        start: Where the trunk's weights come from.
        seed: Of head initialisation, shuffling and augmentation.
    """

    strategy: str
    head: HeadKind
    phases: tuple[Phase, ...]
    start: Start = "pretrained"
    seed: int = 0

    def frozen(self, outline: Outline) -> int:
        """How many leading stages no phase trains."""
        return min(
            (phase.frozen if isinstance(phase, Train) else len(outline) for phase in self.phases),
            default=len(outline),
        )

    def boundary(self, outline: Outline) -> str:
        """The last frozen stage, `none`, or of a solved head what it reads: a stage, several with `+`, or `all`."""
        solved = [phase for phase in self.phases if isinstance(phase, Solve)]
        taps = solved[-1].taps if solved else ()
        if 1 < len(taps) == len(outline):
            return ALL_STAGES
        if taps:
            return "+".join(outline.stages[tap].name for tap in taps)
        return outline.boundary_name(self.frozen(outline))

    def check(self, outline: Outline) -> None:
        """Raise PlanError, with every fault at once, if this plan cannot run on `outline`."""
        faults = [] if self.phases else ["it has no phases"]
        for number, phase in enumerate(self.phases, start=1):
            faults += [f"phase {number}: {fault}" for fault in _faults(phase, outline)]
        if self.head in SOLVED and any(isinstance(phase, Train) for phase in self.phases):
            faults.append(f"a {self.head} head is solved, not trained: use head linear or mlp")
        if self.head not in SOLVED and any(isinstance(phase, Solve) for phase in self.phases):
            faults.append(f"a {self.head} head is trained, not solved: use head {' or '.join(SOLVED)}")
        if faults:
            raise PlanError(f"plan {self.strategy} for {outline.name}: {'; '.join(faults)}")

    def table(self, outline: Outline) -> list[dict[str, str]]:
        """One row per phase and stage, for a person to read before anything runs."""
        rows = []
        for number, phase in enumerate(self.phases, start=1):
            rates = phase.rates if isinstance(phase, Train) else (0.0,) * len(outline)
            decay = f"{phase.weight_decay:g}" if isinstance(phase, Train) else "-"
            adapter = phase.adapter if isinstance(phase, Train) else None
            for stage, planned in zip(outline, rates, strict=True):
                rate = planned if stage.dense or adapter is None else 0.0
                rows.append(
                    {
                        "phase": str(number),
                        "stage": stage.name,
                        "trains": _said(phase, rate),
                        "rate": f"{rate:.2e}" if rate else "-",
                        "decay": decay if rate else "-",
                        "parameters": f"{stage.parameters:,}",
                    }
                )
            head_rate = f"{phase.head_rate:.2e}" if isinstance(phase, Train) else "convex"
            rows.append(
                {
                    "phase": str(number),
                    "stage": f"head ({self.head})",
                    "trains": "yes",
                    "rate": head_rate,
                    "decay": decay if isinstance(phase, Train) else "cross-validated",
                    "parameters": "by classes",
                }
            )
        return rows

    def schedule(self) -> list[str]:
        """One sentence per phase: how long it runs, and what ends it."""
        return [f"phase {number}: {_schedule_said(phase)}" for number, phase in enumerate(self.phases, start=1)]

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        phases = [{"type": type(phase).__name__, **asdict(phase)} for phase in self.phases]
        return {**asdict(self), "phases": phases}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Plan":
        """The plan that `to_json` wrote."""
        return cls(**{**data, "phases": tuple(_phase_from_json(row) for row in data["phases"])})


def _said(phase: Phase, rate: float) -> str:
    """What of a stage trains, in a word."""
    if not rate:
        return "frozen"
    adapter = phase.adapter if isinstance(phase, Train) else None
    return "yes" if adapter is None else f"adapter, rank {adapter.rank}"


def _schedule_said(phase: Phase) -> str:
    """How long a phase runs, as a person reads it."""
    if isinstance(phase, Solve):
        return f"a convex solver; its strength is the best of {len(phase.strengths)} in {phase.folds} folds"
    epochs = f"{phase.epochs} epoch{'' if phase.epochs == 1 else 's'}"
    ended = f"ended by {phase.patience} without a better held-out loss" if phase.patience else "never ended early"
    smoothed = f"; labels smoothed by {phase.label_smoothing:g}" if phase.label_smoothing else ""
    return (
        f"at most {epochs} in batches of {phase.batch_size}, {ended}; "
        f"warm-up over {phase.warmup:.0%} of the steps, then cosine{smoothed}"
    )


def _phase_from_json(row: dict[str, Any]) -> Phase:
    """The phase that `Plan.to_json` wrote as one row."""
    kind = Solve if row["type"] == "Solve" else Train
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    del fields["type"]
    if fields.get("adapter"):
        fields["adapter"] = Adapter(**fields["adapter"])
    if fields.get("penalty"):
        fields["penalty"] = Penalty(**fields["penalty"])
    return kind(**fields)


def _faults(phase: Phase, outline: Outline) -> list[str]:
    """What is wrong with one phase for a trunk of these stages."""
    stages = len(outline)
    if isinstance(phase, Solve):
        faults = [f"stage {tap} of {stages} cannot be tapped" for tap in phase.taps if not 0 <= tap < stages]
        faults += [] if phase.strengths else ["no regularisation strengths to choose from"]
        return faults + ([] if phase.folds >= 2 else [f"folds is {phase.folds}, must be at least 2"])
    faults = []
    if len(phase.rates) != stages:
        faults.append(f"{len(phase.rates)} rates for {stages} stages")
    if any(rate < 0 for rate in (*phase.rates, phase.head_rate)):
        faults.append("a learning rate is below 0")
    if any(rate == 0 for rate in phase.rates[phase.frozen :]):
        faults.append("a frozen stage stands after a trained one: the boundary must be one place")
    if phase.adapter and not any(stage.dense for stage in outline.stages[phase.frozen :]):
        faults.append(
            "no dense layer in its trained stages for an adapter to stand beside; freeze less with --boundary"
        )
    for name in ("epochs", "batch_size"):
        if getattr(phase, name) < 1:
            faults.append(f"{name} is {getattr(phase, name)}, must be at least 1")
    for name in ("warmup", "label_smoothing"):
        if not 0 <= getattr(phase, name) < 1:
            faults.append(f"{name} is {getattr(phase, name)}, must be from 0 to below 1")
    return faults
