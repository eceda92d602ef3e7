"""The options that say how to train, shared by the commands that train."""

import math
from collections.abc import Callable

import click

from regraft.strategies import STRATEGIES, strategy_named

AUTO = "auto"


def _finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """The number; `nan` and `inf` are numbers to click, but none to train with."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number; give one such as 0.001")
    return value


def share(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`2%` or `0.02` as 0.02."""
    if value is None:
        return None
    try:
        found = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1:
        raise click.BadParameter(f"{value} is no share; give one such as 2% or 0.02")
    return found


def _known_strategy(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The name, if there is such a strategy: told before anything heavy is imported."""
    if value != AUTO:
        strategy_named(value)
    return value


strategy_option = click.option(
    "--strategy",
    default=AUTO,
    show_default=True,
    callback=_known_strategy,
    help=f"How much of the trunk may change: {AUTO}, {', '.join(one.name for one in STRATEGIES)}. "
    f"{AUTO} measures, and follows the recommendation.",
)

backbone_option = click.option(
    "--backbone",
    default=AUTO,
    show_default=True,
    help="A name, timm:NAME, hf:OWNER/NAME, bundled:NAME or a folder; scratch: before it for random weights.",
)

precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "int8"]),
    default="auto",
    show_default=True,
    help="Arithmetic of what is frozen. auto: the fastest whose features agree with fp32 on the first samples; on a GPU bf16.",
)

FIT_OPTIONS = (
    backbone_option,
    click.option("--epochs", type=click.IntRange(min=1), help="The most epochs to train."),
    click.option(
        "--lr",
        "learning_rate",
        type=click.FloatRange(min=0, min_open=True),
        callback=_finite,
        help="Rate of the last stage.",
    ),
    click.option(
        "--layer-decay",
        type=click.FloatRange(0, 1, min_open=True),
        help="Rate of a stage as a share of the next one's; 1 = all alike.  [default: the first gets a tenth]",
    ),
    click.option("--batch-size", type=click.IntRange(min=1), help="Samples per optimiser step."),
    click.option(
        "--weight-decay", type=click.FloatRange(min=0), callback=_finite, help="Of matrices and filters; 0 = none."
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of the target spread over all classes.",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=0),
        help="Epochs without a better held-out loss before stopping early; 0 = never.",
    ),
    click.option("--lora-rank", "rank", type=click.IntRange(min=1), help="Of the adapters of strategy lora."),
    click.option(
        "--boundary",
        help="Last frozen stage: a name, none, a count or a share such as 60%; of feature extraction the one that is read, or all.",
    ),
    click.option(
        "--head",
        type=click.Choice(["logistic", "ridge", "linear", "mlp", "token", "span"]),
        help="What is grafted on the trunk; default: as strategy and data want it.",
    ),
    click.option(
        "--batch-norm",
        type=click.Choice(["frozen", "adapt-statistics", "train"]),
        help="Of trained stages; frozen ones never change theirs.  [default: by the strategy]",
    ),
    click.option(
        "--penalty",
        type=click.Choice(["l2-sp", "lwf", "replay"]),
        help="Hold a tuned trunk near what it was; replay needs --source.",
    ),
    click.option("--penalty-strength", type=click.FloatRange(min=0), callback=_finite, help="Its factor."),
    precision_option,
)


def fit_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the training options."""
    for option in reversed(FIT_OPTIONS):
        function = option(function)
    return function
