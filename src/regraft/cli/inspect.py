"""`regraft inspect DATA`."""

from dataclasses import asdict

import click

from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import Problem
from regraft.core.unicode import valid_text

ITEMS_SHOWN = 3


@click.command("inspect", epilog=DATA_SAID)
@data_options
@shared_options
def command(shared: Shared, given: Given) -> None:
    """What DATA is, and what is wrong with it."""
    found = given.inspected(shared)
    result = {
        "kind": found.kind,
        "classes": list(found.classes),
        "counts": found.counts,
        "splits": found.splits,
        "problems": [asdict(problem) for problem in found.problems],
    }
    splits = list(found.splits)
    rows = [[name, *(str(found.counts[split][name]) for split in splits)] for name in found.classes]
    rows.append(["all", *(str(found.splits[split]) for split in splits)])
    counts = table(
        f"{valid_text(given.data)}: {found.kind}, {len(found.classes)} classes",
        ["class", *splits],
        rows,
        right=tuple(splits),
    )
    Output(shared).result(result, counts, "", _problem_lines(found.problems))


def _problem_lines(problems: tuple[Problem, ...]) -> str:
    """The problems, worst first, each with its first items."""
    order = {"error": 0, "warning": 1, "note": 2}
    lines = []
    for problem in sorted(problems, key=lambda one: order[one.severity]):
        lines.append(f"{problem.severity}: {problem.message}  [{problem.code}]")
        lines += [f"    {item}" for item in problem.items[:ITEMS_SHOWN]]
        if len(problem.items) > ITEMS_SHOWN:
            lines.append(f"    ... and {len(problem.items) - ITEMS_SHOWN} more (--json lists all)")
    return "\n".join(lines) or "No problems found."
