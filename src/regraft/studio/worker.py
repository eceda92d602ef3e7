"""A worker process: one JSON line in, one verb run, one JSON line out. `python -m regraft.studio.worker`.

Nothing but JSON passes between the server and its workers. A worker ends when the server does: its standard input is
closed then, which a thread waits for while the main thread computes.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from regraft.core import InputError, RegraftError
from regraft.studio.events import EventFile
from regraft.studio.work import VERBS

GENTLE = 5  # what a long job adds to its niceness, so that pages stay quick


def main() -> None:
    """Serve requests until standard input is closed."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no reply
    requests = os.dup(0)
    _close_stdin()
    if "--gentle" in sys.argv:
        os.nice(GENTLE)
    waiting: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    _warm_up()
    _say(replies, {"ready": True})
    while True:
        _say(replies, _answered(json.loads(waiting.get())))


def _warm_up() -> None:
    """Import what takes seconds before the first request comes."""
    import regraft.api  # noqa: PLC0415
    import regraft.comparing  # noqa: F401, PLC0415


def _close_stdin() -> None:
    """Leave nothing to read under its usual name.

    A process that a library forks closes `sys.stdin`, and would wait for ever for a lock that the reading thread holds.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _listen(requests: int, waiting: "queue.Queue[str]") -> None:
    """Put every line that comes in line; when the server is gone, end."""
    left = b""
    while piece := os.read(requests, 1 << 16):
        *lines, left = (left + piece).split(b"\n")
        for line in lines:
            waiting.put(line.decode())
    os._exit(0)


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    """The result of one request, or why there is none."""
    folder = request.get("folder")
    report: Callable[[dict[str, Any]], None] = EventFile(Path(folder)).write if folder else _unheard
    try:
        return {"result": VERBS[request["verb"]](request["arguments"], report)}
    except InputError as error:
        return {"refused": " ".join(str(error).split())}
    except RegraftError as error:
        return {"failed": " ".join(str(error).split())}
    except Exception as error:  # noqa: BLE001 - the outermost place: the server's log gets the traceback
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}; the studio's log has the details"}


def _unheard(_event: dict[str, Any]) -> None:
    """A short request reports nothing on the way."""


def _say(replies: TextIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply, ensure_ascii=False, allow_nan=False) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
