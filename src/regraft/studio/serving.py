"""From the command's options to a running server."""

import logging
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from regraft.core import OptionError
from regraft.core.places import default_cache_dir
from regraft.studio.app import create_app
from regraft.studio.catalogue import offered_tasks
from regraft.studio.guard import EVERYWHERE, LOOPBACK, Door
from regraft.studio.studio import Config

TOKEN_BYTES = 24
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Options:
    """What `regraft studio` was given.

    Attributes:
        host: To bind to.
        port: To bind to; 0 takes a free one.
        token: For visitors from elsewhere; empty = made up where one is needed.
        names: Further host names that the server is reached by.
        data: Tasks instead of the embedded ones.
        backbones: Further ones, as `--backbone` takes them.
        folder: Of sessions; None = in the cache folder.
        cache: The activation cache; None = the usual one.
        device: Where workers compute.
        workers: Long jobs at a time.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    token: str = ""
    names: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    folder: Path | None = None
    cache: Path | None = None
    device: str = "auto"
    workers: int = 1


def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Serve the studio until it is interrupted.

    Args:
        options: What the command was given.
        announce: Gets the address to open, its token with it.

    Raises:
        OptionError: The address cannot be bound to, or the token is too short.
    """
    folder = options.folder or (options.cache or default_cache_dir()) / "studio"
    tasks = offered_tasks(options.data, folder)
    listening = _bound(options.host, options.port)
    port = listening.getsockname()[1]
    door = door_of(options, port)
    config = Config(folder, tasks, options.backbones, options.device, options.cache, options.workers)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    app = create_app(config, door)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, ws="none"))
    announce(address(door))
    with listening:
        server.run(sockets=[listening])


def door_of(options: Options, port: int) -> Door:
    """Who may come in; beyond loopback a token is always wanted.

    Raises:
        OptionError: The token is too short to keep anybody out.
    """
    token = options.token
    if token and len(token) < SHORTEST_TOKEN:
        raise OptionError(f"--token: give at least {SHORTEST_TOKEN} characters, or leave it out to have one made up")
    if not token and options.host not in LOOPBACK:
        token = secrets.token_urlsafe(TOKEN_BYTES)
    return Door(options.host.lower(), port, token, tuple(name.lower() for name in options.names))


def address(door: Door) -> str:
    """What to open in a browser."""
    name = socket.gethostname() if door.host in EVERYWHERE else door.host
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{door.port}/" + (f"?token={door.token}" if door.token else "")


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        OptionError: That cannot be.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        raise OptionError(f"--host {host} --port {port}: {error.strerror or error}; give another") from error
    return found
