"""`regraft predict MODEL INPUT…`."""

import io
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import OptionError

if TYPE_CHECKING:
    from regraft.predicting import Predicted


@click.command("predict")
@click.argument("model", metavar="MODEL")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--top-k", "top", type=click.IntRange(min=1), help="Of classes: the so many most probable ones.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the predictions, .csv or .jsonl, instead of the table.",
)
@shared_options
def command(shared: Shared, model: str, inputs: tuple[str, ...], top: int | None, out: Path | None) -> None:
    """What MODEL says of INPUTs: files, folders, globs; texts themselves; `-` reads one text (or path) a line.

    A tab in a text parts the two texts of a pair, or a question from its passage.
    """
    from regraft import api  # noqa: PLC0415 - keeps --help fast
    from regraft.predicting.writing import at_most, check_file, write_predictions  # noqa: PLC0415

    output = Output(shared)
    if out is not None:
        check_file(out)
    lines = _lines(output) if "-" in inputs else []
    with output.progress() as progress:
        fitted = api.load(model, device=shared.device)
        if top is not None and fitted.kind not in CLASSES:
            raise OptionError(f"--top-k: goes with models of {' and '.join(CLASSES)}, and this is {fitted.kind}")
        samples, refused = api.samples_from([one for one in inputs if one != "-"], lines, fitted.kind)
        for problem in refused:
            output.say(problem)
        predictions = fitted.predict(samples, progress=progress)
    result = {"predictions": [at_most(asdict(one), top) for one in predictions]}
    if out is not None:
        write_predictions(out, predictions, top)
        output.result(
            {**result, "out": str(out)}, f"{len(predictions)} prediction{'' if len(predictions) == 1 else 's'}: {out}"
        )
        return
    rows = [row for one in predictions for row in _rows(one, top or 1)]
    output.result(result, table("", ["input", *COLUMNS[fitted.kind]], rows, right=("score", "value")))


def _lines(output: Output) -> list[str]:
    """The lines of standard input, in whatever encoding they come."""
    from regraft.tasks.reading import Findings  # noqa: PLC0415 - keeps --help fast
    from regraft.tasks.tables import decoded_bytes  # noqa: PLC0415

    findings = Findings()
    text = decoded_bytes(sys.stdin.buffer.read(), "-", findings)
    for problem in findings.problems():
        output.say(f"{', '.join(problem.items)}: {problem.message}")
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


CLASSES = ("image-classification", "text-classification")


def _rows(one: "Predicted", top: int) -> list[list[str]]:
    """A prediction's rows of the table: one, or one for each of the most probable classes."""
    from regraft.predicting.writing import most_probable  # noqa: PLC0415

    values = asdict(one)
    if "scores" not in values:
        return [[one.input, *_shown(one)]]
    best = most_probable(values["scores"], top).items()
    return [["" if number else one.input, label, f"{share:.3f}"] for number, (label, share) in enumerate(best)]


COLUMNS = {
    **{kind: ["label", "score"] for kind in CLASSES},
    "text-regression": ["value"],
    "token-classification": ["entities", "score"],
    "question-answering": ["answer", "start", "end", "score"],
}


def _shown(one: "Predicted") -> list[str]:
    """A prediction's columns, as a person reads them."""
    values = asdict(one)
    if "value" in values:
        return [f"{values['value']:.3f}"]
    score = f"{values['score']:.3f}"
    if "entities" in values:
        found = ", ".join(f"{entity['text']} [{entity['label']}]" for entity in values["entities"])
        return [found or " ".join(values["tags"]), score]
    if "answer" in values:
        return [values["answer"] or "(no answer)", str(values["start"]), str(values["end"]), score]
    raise TypeError(type(one).__name__)
