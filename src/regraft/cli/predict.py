"""`regraft predict MODEL INPUT…`."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from regraft.predicting import Predicted


@click.command("predict")
@click.argument("model", metavar="MODEL")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@shared_options
def command(shared: Shared, model: str, inputs: tuple[str, ...]) -> None:
    """What MODEL says of INPUTs: files, folders, globs; texts themselves; `-` reads one text (or path) a line.

    A tab in a text parts the two texts of a pair, or a question from its passage.
    """
    from regraft import api  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    lines = [line.rstrip("\n") for line in sys.stdin] if "-" in inputs else []
    with output.progress() as progress:
        fitted = api.load(model, device=shared.device)
        samples, refused = api.samples_from([one for one in inputs if one != "-"], lines, fitted.kind)
        for problem in refused:
            output.say(problem)
        predictions = fitted.predict(samples, progress=progress)
    rows = [[one.input, *_shown(one)] for one in predictions]
    result = {"predictions": [asdict(one) for one in predictions]}
    output.result(result, table("", ["input", *COLUMNS[fitted.kind]], rows, right=("score", "value")))


COLUMNS = {
    "image-classification": ["label", "score"],
    "text-classification": ["label", "score"],
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
    return [values["label"], score]
