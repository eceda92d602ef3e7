"""Which heads go with which kind of task, the default first."""

from regraft.core import OptionError, TaskKind
from regraft.core.plan import SOLVED, HeadKind
from regraft.strategies.settings import Settings

_CLASSES: tuple[HeadKind, ...] = ("logistic", "linear", "mlp")
HEADS: dict[TaskKind, tuple[HeadKind, ...]] = {
    "image-classification": _CLASSES,
    "text-classification": _CLASSES,
    "text-regression": ("ridge", "linear", "mlp"),
    "token-classification": ("token",),
    "question-answering": ("span",),
}


def choose_head(strategy: str, kind: TaskKind, settings: Settings, *, solved: bool) -> HeadKind:
    """The head asked for, or the first one that goes with the task; `solved` says whether that may be a solved one.

    Raises:
        OptionError: It does not go with the task, or a solved head with training.
    """
    fitting = tuple(head for head in HEADS[kind] if solved or head not in SOLVED)
    wanted = settings.head or fitting[0]
    if wanted in fitting:
        return wanted
    why = "is solved, not trained" if wanted in SOLVED and wanted in HEADS[kind] else f"does not go with {kind}"
    raise OptionError(f"strategy {strategy}: --head {wanted} {why}; use {' or '.join(fitting)}")
