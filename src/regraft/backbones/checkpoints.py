"""Weight files: where they are, that they are safetensors, and what is said of them."""

import hashlib
from pathlib import Path

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
        BackboneError: There is none; pickled weights are never read.
    """
    weights = folder / WEIGHTS
    if weights.is_file():
        return weights
    pickled = sorted(file.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt") for file in folder.glob(pattern))
    if pickled:
        raise BackboneError(
            f"{folder}: has only pickled weights ({pickled[0]}), which can run code when read; "
            f"convert them to {WEIGHTS} with safetensors.torch.save_file"
        )
    raise BackboneError(f"{folder}: no {WEIGHTS} there")


def file_sha256(file: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def license_of(folder: Path) -> str:
    """The licence of a LICENSE file in the folder, where it is a well-known one; else `unknown`."""
    for file in sorted(folder.glob("LICENSE*")):
        text = file.read_text(encoding="utf-8", errors="replace")
        for mark, name in LICENSE_MARKS:
            if mark in text:
                return name
    return "unknown"


def hub_file(repository: str, name: str, *, revision: str | None, offline: bool) -> Path:
    """A file of a hub repository, from the hub's cache or, unless `offline`, from the hub.

    Raises:
        BackboneError: It is not there, or cannot be reached.
    """
    import huggingface_hub  # noqa: PLC0415 - half a second that local backbones need not pay
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(huggingface_hub.hf_hub_download(repository, name, revision=revision, local_files_only=offline))
    except LocalEntryNotFoundError as error:
        why = (
            "not on this machine and --offline is set"
            if offline
            else "not on this machine and the hub cannot be reached"
        )
        raise BackboneError(f"{repository}: {name} is {why}; give a local folder or bundled:minilm") from error
    except (HfHubHTTPError, ValueError, OSError) as error:
        message = str(error).strip().split("\n")[0]
        raise BackboneError(f"{repository}: {name} cannot be had from the hub ({message})") from error
