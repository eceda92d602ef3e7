"""The tasks that every visitor finds: those named when the studio began, else the embedded ones."""

from dataclasses import dataclass
from pathlib import Path

from regraft.core import DataError
from regraft.demo import intents_folder


@dataclass(frozen=True)
class Offered:
    """A task that all visitors share.

    Attributes:
        name: In addresses.
        title: For a person.
        path: Of the data.
    """

    name: str
    title: str
    path: Path


DIGITS = "digits"


def offered_tasks(data: tuple[str, ...], folder: Path) -> tuple[Offered, ...]:
    """The tasks of `--data`, or the embedded ones.

    Args:
        data: As `--data` gives it.
        folder: Where the embedded pictures are written when they are first asked for.

    Raises:
        DataError: A path of `--data` does not exist.
    """
    if not data:
        return (
            Offered("intents", "Customer messages, 8 intents", intents_folder()),
            Offered(DIGITS, "Handwritten digits", folder / "embedded" / DIGITS),
        )
    found = []
    for number, given in enumerate(data):
        path = Path(given).expanduser()
        if not path.exists():
            raise DataError(f"--data {given}: no such file or folder")
        found.append(Offered(f"given-{number}", path.resolve().name, path.resolve()))
    return tuple(found)
