"""Messages of the verbs as a visitor reads them."""

import re
from pathlib import Path

INNER = re.compile(r"(?:tasks|jobs)/[0-9a-f]{16}/(?:data/|model/)?")


def without_paths(message: str, *folders: Path) -> str:
    """A message with this machine's folders taken out: a visitor knows the files by what is below them."""
    for folder in folders:
        for form in (str(folder.resolve()), str(folder)):
            message = message.replace(f"{form}/", "").replace(form, "the data")
    return INNER.sub("", message)
