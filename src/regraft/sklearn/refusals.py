"""Regraft's refusals as scikit-learn's users expect them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from regraft.core import InputError

PARAMETERS = {
    "--strategy": "strategy",
    "--backbone": "backbone",
    "--boundary": "boundary",
    "--head": "head",
    "--epochs": "epochs",
    "--lr": "learning_rate",
    "--batch-size": "batch_size",
    "--device": "device",
    "--precision": "precision",
    "--cache-dir": "cache_dir",
    "--offline": "offline",
}
OPTION = re.compile("|".join(rf"{option}\b" for option in PARAMETERS))


@contextmanager
def as_value_error() -> Iterator[None]:
    """Regraft's refusals as what scikit-learn's users expect, with parameters for the command line's options."""
    try:
        yield
    except InputError as error:
        raise ValueError(OPTION.sub(lambda found: PARAMETERS[found[0]], str(error))) from error
