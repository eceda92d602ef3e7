"""Files that are kept in the cache of data that cannot be read where they are: what is compressed."""

import contextlib
import errno
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from regraft.core import OptionError


@contextlib.contextmanager
def written_once(path: Path) -> Iterator[Callable[[bytes], None] | None]:
    """What writes to the file, which appears whole or not at all; None where it is there already.

    Raises:
        OptionError: The cache cannot be written to.
    """
    if path.exists():
        yield None
        return
    with contextlib.ExitStack() as stack:
        with _refused(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent))) / path.name
            file = draft.open("wb")
            stack.callback(_dropped, file)

        def write(data: bytes) -> None:
            with _refused(path.parent):
                file.write(data)

        yield write
        with _refused(path.parent):
            file.close()
            draft.replace(path)


def _dropped(file: BinaryIO) -> None:
    """Close it, even where what is left of it cannot be written."""
    with contextlib.suppress(OSError):
        file.close()


@contextlib.contextmanager
def _refused(folder: Path) -> Iterator[None]:
    """Whatever keeps the cache from being written as an error that names it."""
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        cure = "free some space or name another disk" if full else "name another folder"
        message = f"{folder}: pictures cannot be unpacked there ({error.strerror}); {cure} with --cache-dir"
        raise OptionError(message) from error
