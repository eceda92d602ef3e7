"""`--budget 5m`: how long a recommendation may take."""

import re
from collections.abc import Callable
from typing import Any

import click

DEFAULT = "2m"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """`90`, `90s`, `5m`, `1.5h` or `1h30m` as seconds."""
    found = re.fullmatch(r"(?:\d+(?:\.\d+)?[smh]?)|(?:\d+h)?(?:\d+m)?(?:\d+s)?", value.strip().lower())
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", value.strip().lower()) if found else []
    total = sum(float(number) * UNITS[unit or "s"] for number, unit in parts)
    if total <= 0:
        raise click.BadParameter(f"{value} is no time; give one such as 90s, 5m or 1h")
    return total


def budget_option(help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option, as `budget` in seconds."""
    option: Callable[[Callable[..., None]], Callable[..., Any]] = click.option(
        "--budget", default=DEFAULT, show_default=True, callback=seconds, help=help_text
    )
    return option
