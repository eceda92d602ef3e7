"""Regraft's refusals as scikit-learn's users expect them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from regraft.core import InputError
from regraft.strategies.settings import Settings, option_of

# The options of the command line, and the parameters that say the same.
PARAMETERS = {option_of(one.name): one.name for one in fields(Settings)} | {
    "--strategy": "strategy",
    "--backbone": "backbone",
    "--device": "device",
    "--precision": "precision",
    "--cache-dir": "cache_dir",
    "--offline": "offline",
}
OPTION = re.compile(rf"({'|'.join(PARAMETERS)})(?![\w-])")


@contextmanager
def as_value_error() -> Iterator[None]:
    """Regraft's refusals as what scikit-learn's users expect, with parameters for the command line's options."""
    try:
        yield
    except InputError as error:
        raise ValueError(OPTION.sub(lambda found: PARAMETERS[found[0]], str(error))) from error
