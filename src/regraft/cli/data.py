"""The argument and options that say what the data is."""

import functools
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Shared

if TYPE_CHECKING:
    from regraft.core import Task, TaskKind
    from regraft.tasks import Columns, Inspection

DATA_SAID = (
    "DATA is a folder of pictures in class folders or with a metadata.csv, WebDataset .tar shards, a table of texts "
    "(.csv .tsv .jsonl .parquet) with labels or quantities, a .parquet table of pictures, tagged words (.conll .iob), "
    "SQuAD .json, a folder of train.* / validation.* / test.* of these, or a data set of the hub: "
    "hf://OWNER/NAME[:CONFIG]."
)


KINDS = ("text-classification", "text-regression", "token-classification")


@dataclass(frozen=True)
class Given:
    """What was said of the data."""

    data: str
    text_column: str
    label_column: str
    pair_column: str
    group_column: str
    kind: "TaskKind | None"
    strict: bool

    @property
    def said(self) -> str:
        """DATA with the options that are not the usual ones, as a shell takes them."""
        usual = Given(self.data, "text", "label", "text_pair", "", None, strict=False)
        words = [self.data]
        for name in ("text_column", "label_column", "pair_column", "group_column", "kind"):
            if getattr(self, name) != getattr(usual, name):
                words += [f"--{name.replace('_', '-')}", getattr(self, name)]
        return shlex.join([*words, *(["--strict"] if self.strict else [])])

    def inspected(self, shared: Shared) -> "Inspection":
        """What the data are, and what is wrong with them."""
        from regraft.tasks import inspect_data  # noqa: PLC0415 - keeps --help fast; without torch, which takes seconds

        return inspect_data(**self._arguments(shared))

    def opened(self, shared: Shared) -> "Task":
        """The data as a task."""
        from regraft.tasks import open_task  # noqa: PLC0415 - keeps --help fast

        return open_task(**self._arguments(shared))

    @property
    def columns(self) -> "Columns":
        """Which columns are read."""
        from regraft.tasks import Columns  # noqa: PLC0415 - keeps --help fast

        return Columns(self.text_column, self.label_column, self.group_column, self.pair_column, self.kind)

    def _arguments(self, shared: Shared) -> dict[str, Any]:
        """What reading the data takes: all that is said here, by the same names."""
        return {**asdict(self), "seed": shared.seed, "offline": shared.offline}


DATA_OPTIONS = (
    click.argument("data", metavar="DATA"),
    click.option("--text-column", default="text", show_default=True, help="Column that holds the text."),
    click.option("--label-column", default="label", show_default=True, help="Column that holds the label."),
    click.option(
        "--pair-column", default="text_pair", show_default=True, help="Column that holds the second text of a pair."
    ),
    click.option(
        "--group-column",
        default="",
        metavar="TEXT",
        help="Column that says what a sample belongs to, such as a patient: no split parts a group.",
    ),
    click.option(
        "--kind",
        type=click.Choice(KINDS),
        help="Read the labels of texts as classes, quantities or tags where they could be several; whole numbers are "
        "classes and fractions quantities unless this says otherwise.",
    ),
    click.option("--strict", is_flag=True, help="Refuse data that has bad samples instead of leaving them out."),
)


def data_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command DATA and the options that say how to read it, gathered into one `given` argument."""

    @functools.wraps(function)
    def command(**values: Any) -> None:
        function(given=Given(**{name: values.pop(name) for name in Given.__dataclass_fields__}), **values)

    wrapped: Callable[..., None] = command
    for option in reversed(DATA_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
