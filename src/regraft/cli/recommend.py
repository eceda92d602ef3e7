"""`regraft recommend DATA`."""

import shlex
from typing import TYPE_CHECKING

import click

from regraft.cli.budget import budget_option
from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.fitting import precision_option
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core.words import metric_said, seconds_said

if TYPE_CHECKING:
    from rich.console import Group

    from regraft.core import Recommendation


@click.command("recommend", epilog=DATA_SAID)
@data_options
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    default=("auto",),
    show_default=True,
    help="As fit takes it; may be given several times.",
)
@budget_option("At most about so long: 90s, 5m, 1h. With less, intervals are wider; there is always an answer.")
@click.option("--full", is_flag=True, help="Show every boundary, not the best of each strategy.")
@precision_option
@shared_options
def command(
    shared: Shared,
    given: Given,
    backbones: tuple[str, ...],
    budget: float,
    full: bool,  # noqa: FBT001
    precision: str,
) -> None:
    """Measure DATA on one or more backbones and rank the strategies, with reasons."""
    from regraft import api  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    with output.progress() as progress:
        task = given.opened(shared)
        advice = api.recommend(
            task,
            backbones,
            budget_seconds=budget,
            settings=api.Settings(seed=shared.seed),
            resources=api.Resources(shared.device, precision, shared.cache_dir, shared.offline),
            progress=progress,
        )
    output.result(
        advice.to_json(),
        *advice_views(advice, task.name, full=full),
        said_command(advice, given.said, *_not_usual(shared, precision)),
    )


def advice_views(advice: "Recommendation", name: str, *, full: bool = False) -> "list[Group | str]":
    """The ranking as a table, the reasons and the classical rules as sentences."""
    several = len({one.backbone for one in advice.choices}) > 1
    columns = [
        "",
        "strategy",
        "frozen up to",
        *(["backbone"] if several else []),
        advice.metric,
        "80 % interval",
        "fit takes",
    ]
    rows, seen = [], set()
    for number, one in enumerate(advice.choices, start=1):
        kind = (one.strategy, one.backbone)
        if kind in seen and not full:
            continue
        seen.add(kind)
        place = f"features of {one.boundary}" if one.strategy == "feature-extraction" else one.boundary
        backbone = [one.backbone] if several else []
        rows.append(
            [
                str(number),
                one.strategy,
                place,
                *backbone,
                f"{one.expected:.3f}",
                f"{one.low:.3f} to {one.high:.3f}",
                seconds_said(one.cost_seconds),
            ]
        )
    hidden = len(advice.choices) - len(rows)
    more = f"(the best boundary of each strategy; --full shows {hidden} more)" if hidden else ""
    title = f"{name}: expected {metric_said(advice.metric)}, best first"
    rules = [
        f"  {one.situation}: {one.says}. Measured on your data: {'agrees' if one.agrees else 'disagrees'}. {one.because}"
        if one.applies
        else f"  {one.situation}: {one.says}. {one.because}"
        for one in advice.rules
    ]
    return [
        table(title, columns, rows, right=(advice.metric, "fit takes")),
        more,
        "Why:",
        *(f"  {reason}" for reason in advice.reasons),
        "The classical rules:",
        *rules,
        f"Measured in {seconds_said(advice.seconds)}.",
    ]


def said_command(advice: "Recommendation", data: str, *others: str) -> str:
    """The command that follows the recommendation.

    Args:
        advice: Whose best is followed.
        data: With the options that say how to read it, as a shell takes it.
        others: Words of options that hold for `fit` as well.
    """
    best = advice.best
    last = next(one.outline.stages[-1].name for one in advice.evidence if one.backbone == best.backbone)
    words = ["--out", "MODEL", "--backbone", best.backbone, "--strategy", best.strategy]
    words += [] if best.boundary in {"none", last} else ["--boundary", best.boundary]
    return f"To follow it: regraft fit {data} {shlex.join([*words, *others])}"


def _not_usual(shared: Shared, precision: str) -> list[str]:
    """What else was asked for, as `fit` takes it."""
    given = {"--seed": shared.seed or None, "--precision": precision, "--device": shared.device}
    return [word for option, value in given.items() if value not in {None, "auto"} for word in (option, str(value))]
