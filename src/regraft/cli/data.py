"""The argument and options that say what the data is."""

from collections.abc import Callable

import click

DATA_SAID = (
    "DATA is a folder of pictures in class folders, WebDataset .tar shards, a table of texts (.csv .tsv .jsonl .parquet) "
    "with labels or quantities, tagged words (.conll .iob), SQuAD .json, or a folder of train.* / validation.* / test.* "
    "of these."
)

DATA_OPTIONS = (
    click.argument("data", metavar="DATA"),
    click.option("--text-column", default="text", show_default=True, help="Column that holds the text."),
    click.option("--label-column", default="label", show_default=True, help="Column that holds the label."),
    click.option("--strict", is_flag=True, help="Refuse data that has bad samples instead of leaving them out."),
)


def data_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command DATA and the options that say how to read it."""
    for option in reversed(DATA_OPTIONS):
        function = option(function)
    return function
