"""What a file's bytes are known by."""

import hashlib
from pathlib import Path


def file_sha256(file: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
