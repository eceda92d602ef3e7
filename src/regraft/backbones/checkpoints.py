"""Weight files: where they are, that they are whole and safe, and what is said of them."""

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from regraft.core import BackboneError

WEIGHTS = "model.safetensors"
LICENSE_MARKS = (
    ("Apache License", "apache-2.0"),
    ("MIT License", "mit"),
    ("BSD 3-Clause", "bsd-3-clause"),
    ("Creative Commons Attribution-NonCommercial", "cc-by-nc"),
)


def require_safetensors(folder: Path) -> Path:
    """The folder's safetensors file.

    Raises:
        BackboneError: There is none, or it is cut short; pickled weights are never read.
    """
    weights = folder / WEIGHTS
    if weights.is_file():
        tensor_names(weights)
        return weights
    if (folder / f"{WEIGHTS}.index.json").is_file():
        raise BackboneError(
            f"{folder}: its weights are in several files; save them in one, "
            "save_pretrained(folder, max_shard_size='100GB')"
        )
    pickled = sorted(file.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt") for file in folder.glob(pattern))
    if pickled:
        raise BackboneError(
            f"{folder}: has only pickled weights ({pickled[0]}), which can run code when read; "
            f"convert them to {WEIGHTS} with safetensors.torch.save_file"
        )
    raise BackboneError(f"{folder}: no {WEIGHTS} there; copy the whole folder again")


def tensor_names(weights: Path) -> set[str]:
    """The names of the tensors in a safetensors file; only its header is read.

    Raises:
        BackboneError: The file is damaged or shorter than its header says.
    """
    try:
        with safe_open(weights, framework="pt") as opened:
            return set(opened.keys())
    except (SafetensorError, OSError) as error:
        raise BackboneError(
            f"{weights}: damaged or cut short ({one_line(error)}); copy or download it again"
        ) from error


def first_of(names: Sequence[str]) -> str:
    """The first three of many names, for messages."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def one_line(error: Exception) -> str:
    """What a library says of a failure, on one line of at most 200 characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:200]}…"


def license_of(folder: Path) -> str:
    """The licence of a LICENSE file in the folder, where it is a well-known one; else `unknown`."""
    for file in sorted(folder.glob("LICENSE*")):
        text = file.read_text(encoding="utf-8", errors="replace")
        for mark, name in LICENSE_MARKS:
            if mark in text:
                return name
    return "unknown"
