"""The options that every command has, and where its words go."""

import contextlib
import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import click
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from regraft.core.places import CACHE_VARIABLE
from regraft.core.unicode import valid_text


@dataclass(frozen=True)
class Shared:
    """The options that every command has, and where its result goes."""

    stdout: TextIO
    as_json: bool
    quiet: bool
    seed: int
    device: str
    cache_dir: Path | None
    offline: bool


MOST_SEED = (1 << 32) - 1  # scikit-learn takes no larger one

SHARED_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else there."),
    click.option("--quiet", is_flag=True, help="No progress and no prose."),
    click.option(
        "--seed", type=click.IntRange(0, MOST_SEED), default=0, show_default=True, help="Of every random choice."
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."),
    click.option(
        "--cache-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where activations and unpacked pictures are kept.  [default: $REGRAFT_CACHE, else the user's cache folder]",
    ),
    click.option("--offline", is_flag=True, help="Open no connection; what is not on disk is an error."),
)


def shared_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options, gathered into one `shared` argument.

    While the command runs, `sys.stdout` is stderr: what a library prints, even on import, is no result.
    """

    @functools.wraps(function)
    def command(**values: Any) -> None:
        names = [name for name in Shared.__dataclass_fields__ if name != "stdout"]
        shared = Shared(sys.stdout, **{name: values.pop(name) for name in names})
        if shared.offline:
            # Set before transformers and huggingface_hub are imported: they read it then.
            os.environ["HF_HUB_OFFLINE"] = "1"
        if shared.quiet:
            os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        with _cached_in(shared.cache_dir), contextlib.redirect_stdout(sys.stderr):
            function(shared=shared, **values)

    wrapped: Callable[..., None] = command
    for option in reversed(SHARED_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


@contextlib.contextmanager
def _cached_in(folder: Path | None) -> Iterator[None]:
    """Keep what is kept without asking, as unpacked pictures and compiled engines are, in the folder asked for too."""
    before = os.environ.get(CACHE_VARIABLE)
    if folder is not None:
        os.environ[CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if folder is not None:
            os.environ.pop(CACHE_VARIABLE)
        if before is not None:
            os.environ[CACHE_VARIABLE] = before


class Output:
    """Results on stdout, progress and prose on stderr.

    With `--json`, stdout gets the one object given to `result` and nothing else, whatever a library prints.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._console = Console(file=shared.stdout, highlight=False)
        self._errors = Console(stderr=True, highlight=False, quiet=shared.quiet)

    def say(self, text: str) -> None:
        """One line of prose on stderr."""
        self._errors.print(text, markup=False, soft_wrap=True)

    def result(self, data: dict[str, Any], *views: str | Group) -> None:
        """The command's result: the JSON object, or what a person reads."""
        if self._shared.as_json:
            print(valid_text(json.dumps(_finite(data), ensure_ascii=False)), file=self._shared.stdout, flush=True)
            return
        for view in views:
            self._console.print(view, markup=False, soft_wrap=isinstance(view, str))

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A callback `(what, done, total)` that draws progress bars on stderr."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        # A bar rewrites its line, which a log file cannot: there, the words of `say` must do.
        shown = not self._shared.quiet and self._errors.is_terminal
        with Progress(*columns, console=self._errors, disable=not shown, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def update(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total, rate="")
                speed = bars.tasks[bars.task_ids.index(tasks[what])].speed
                bars.update(tasks[what], completed=done, total=total, rate=f"{speed:.0f}/s" if speed else "")

            yield update


def _finite(value: Any) -> Any:
    """The value with null for what is not a finite number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(
    title: str, columns: list[str], rows: list[list[str]], *, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()
) -> Group:
    """A plain table; columns named in `right` are aligned to the right, the words of those in `whole` are never cut.

    The title stands above it, since rich would break it at the width of the table.
    """
    drawn = Table(box=None, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    for row in rows:
        drawn.add_row(*row)
    return Group(Text(title, style="italic"), drawn) if title else Group(drawn)
