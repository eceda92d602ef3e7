"""`regraft studio`."""

from pathlib import Path

import click

from regraft.cli.options import Output, Shared, shared_options
from regraft.core import OptionError


@click.command("studio")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind to; beyond loopback a token guards it."
)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0 takes a free one.")
@click.option("--data", multiple=True, metavar="DATA", help="A task for every visitor, instead of the embedded ones.")
@click.option("--backbone", "backbones", multiple=True, help="A further backbone that visitors may choose.")
@click.option(
    "--token", default="", envvar="REGRAFT_STUDIO_TOKEN", help="What visitors must bring; else one is made up."
)
@click.option("--allow-host", "names", multiple=True, help="A further host name that the server is reached by.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where sessions are kept.")
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True, help="Long jobs at a time.")
@shared_options
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    shared: Shared,
    host: str,
    port: int,
    data: tuple[str, ...],
    backbones: tuple[str, ...],
    token: str,
    names: tuple[str, ...],
    folder: Path | None,
    workers: int,
) -> None:
    """Interactive pages: see what transfer does, try it on your own data, ask for a recommendation."""
    try:
        from regraft.studio import serving  # noqa: PLC0415 - keeps --help fast
    except ModuleNotFoundError as error:
        raise OptionError(f"studio needs the package {error.name}: pip install 'regraft[studio]'") from error
    options = serving.Options(
        host, port, token, names, data, backbones, folder, shared.cache_dir, shared.device, workers
    )
    output = Output(shared)
    serving.serve(options, lambda found: output.result({"address": found}, f"studio: {found}   (Ctrl-C ends it)"))
