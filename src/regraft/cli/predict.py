"""`regraft predict MODEL INPUT…`."""

import sys
from dataclasses import asdict

import click

from regraft.cli.options import Output, Shared, shared_options, table


@click.command("predict")
@click.argument("model", metavar="MODEL")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@shared_options
def command(shared: Shared, model: str, inputs: tuple[str, ...]) -> None:
    """Classes of INPUTs: files, folders, globs; texts themselves; `-` reads one text (or path) a line."""
    from regraft import api  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    lines = [line.rstrip("\n") for line in sys.stdin] if "-" in inputs else []
    with output.progress() as progress:
        fitted = api.load(model, device=shared.device)
        samples, refused = api.samples_from([one for one in inputs if one != "-"], lines, fitted.kind)
        for problem in refused:
            output.say(problem)
        predictions = fitted.predict(samples, progress=progress)
    rows = [[one.input, one.label, f"{one.score:.3f}"] for one in predictions]
    result = {"predictions": [asdict(one) for one in predictions]}
    output.result(result, table("", ["input", "label", "score"], rows, right=("score",)))
