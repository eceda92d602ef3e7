"""All of the trunk frozen: a head on features that are computed once."""

from dataclasses import dataclass

from regraft.core import OptionError, Outline, Plan, Solve, TaskSummary, Train
from regraft.core.plan import ALL_STAGES, DEFAULT_STRENGTHS, SOLVED
from regraft.strategies.heads import choose_head
from regraft.strategies.rates import rates_for
from regraft.strategies.settings import TRAINING, Settings
from regraft.strategies.tuning import regularised

# Squared error, unlike log loss, grows with N and with nothing else: its penalties are larger numbers.
RIDGE_STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(-12, 3))
EPOCHS = 50  # of a trained head: each takes a fraction of a second on stored features


@dataclass(frozen=True)
class FeatureExtraction:
    """A convex head by cross-validation, or a small network on request."""

    name: str = "feature-extraction"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Solve a logistic or ridge head, or train another one.

        A solved head reads the last stage, or the one that `boundary` names, or `all` of them.
        """
        head = choose_head(self.name, summary.kind, settings, solved=True)
        settings.refuse_for(self.name, summary.kind)
        settings.refuse(
            self.name,
            penalty="the trunk does not move",
            penalty_strength="the trunk does not move",
            batch_norm="no stage trains",
            rank="no stage trains; use strategy lora",
            layer_decay="no stage trains",
        )
        if head in SOLVED:
            why = f"a {head} head is solved; use --head linear or mlp"
            settings.refuse(self.name, **dict.fromkeys(TRAINING, why))
            if settings.augment:
                settings.refuse(self.name, augment="a solved head reads each sample once; use --head linear or mlp")
            folds = max(2, min(5, summary.smallest_class))
            taps = _taps(settings.boundary, outline)
            strengths = RIDGE_STRENGTHS if head == "ridge" else DEFAULT_STRENGTHS
            phase = Solve(strengths, folds, taps, cache=settings.cache is not False)
            return Plan(self.name, head, (phase,), seed=settings.seed)
        settings.refuse(self.name, boundary=f"a {head} head reads the last stage; use a solved head")
        trained = Train(
            epochs=settings.epochs or EPOCHS,
            rates=(0.0,) * len(outline),
            head_rate=settings.learning_rate or rates_for(outline).head,
            batch_size=settings.batch_size or 32,
            augment=bool(settings.augment),
            cache=settings.cache is not False,
        )
        phases = (regularised(trained, self.name, summary.kind, settings),)
        return Plan(self.name, head, phases, seed=settings.seed)


def _taps(boundary: str | None, outline: Outline) -> tuple[int, ...]:
    """The stages to read; empty for the last.

    Raises:
        OptionError: `boundary` names no stage.
    """
    if boundary is None:
        return ()
    if boundary == ALL_STAGES:
        return tuple(range(len(outline)))
    frozen = outline.frozen_stages(boundary)
    if frozen == 0:
        raise OptionError(f"--boundary {boundary}: features leave some stage; name one, or {ALL_STAGES}")
    return (frozen - 1,)
