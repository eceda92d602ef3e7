"""Plain texts without labels: what a language model was pre-trained on, one document a line."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from regraft.core import DataError, Problem, TextSample
from regraft.tasks.reading import Findings, is_there
from regraft.tasks.tables import decoded

SUFFIX = ".txt"


@dataclass(frozen=True)
class Documents:
    """Texts without labels.

    Attributes:
        name: The file's or folder's name.
        samples: One per document.
        fingerprint: sha256 of them.
        problems: What was found wrong while reading.
    """

    name: str
    samples: tuple[TextSample, ...]
    fingerprint: str
    problems: tuple[Problem, ...] = ()


def holds_documents(path: Path) -> bool:
    """Whether a path is a `.txt` file or a folder of such."""
    return path.suffix.lower() == SUFFIX or (is_there(path) and path.is_dir() and any(path.glob(f"*{SUFFIX}")))


def open_documents(data: str | Path) -> Documents:
    """The documents of a `.txt` file, or of all such files in a folder: each line that is not blank is one.

    Raises:
        DataError: There is no such file, or nothing in it.
    """
    path = Path(data)
    if not is_there(path):
        raise DataError(f"{path}: no such file or folder")
    files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    findings = Findings()
    samples = [
        TextSample(f"{file}:{number}", " ".join(line.replace("\0", "").split()))
        for file in files
        for number, line in enumerate(decoded(file, findings).split("\n"), start=1)
        if line.replace("\0", "").strip()
    ]
    if not samples:
        raise DataError(f"{path}: no text in it; give a {SUFFIX} file with one document a line")
    return documents_of(path.name.split(".")[0], samples, findings.problems())


def documents_of(name: str, samples: list[TextSample], problems: tuple[Problem, ...] = ()) -> Documents:
    """Documents, each once."""
    kept = tuple({one.digest: one for one in samples}.values())
    print_ = hashlib.sha256("\n".join(one.digest for one in kept).encode()).hexdigest()
    return Documents(name, kept, print_, problems)
