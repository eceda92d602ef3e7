"""Texts to pre-train on: one document a line, tokens of all of them in a memory map."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.core import DataError
from regraft.core.places import default_cache_dir
from regraft.pretraining.pictures import Progress

HELD_OUT_EVERY = 50  # without held-out texts of their own, each 50th document (2 %) is not learnt from
CHUNK = 1000  # documents tokenised at a time


@dataclass(frozen=True)
class Corpus:
    """Documents, and those that are not learnt from.

    Attributes:
        name: The folder's or file's name.
        train: Documents to learn from.
        held_out: Documents to watch the run by.
        fingerprint: sha256 of all of them.
    """

    name: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    fingerprint: str


def open_corpus(path: Path, held_out: Path | None) -> Corpus:
    """The documents of a text file, or of all `.txt` files below a folder.

    Args:
        path: What to learn from.
        held_out: What to watch the run by; None = a fiftieth of `path`.

    Raises:
        DataError: There is no text.
    """
    documents = list(_documents(path))
    if held_out is None:
        kept = tuple(text for number, text in enumerate(documents) if number % HELD_OUT_EVERY)
        aside = tuple(documents[::HELD_OUT_EVERY])
    else:
        kept, aside = tuple(documents), tuple(_documents(held_out))
    if not kept:
        raise DataError(f"{path}: one document, and that is held out; give one a line, or --held-out")
    digest = hashlib.sha256()
    for text in (*kept, "\0", *aside):
        digest.update(text.encode() + b"\n")
    return Corpus(path.resolve().name.split(".")[0], kept, aside, digest.hexdigest())


def _documents(path: Path) -> Iterator[str]:
    """Lines that are not empty, file by file."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    found = False
    for file in files:
        try:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    if text := line.strip():
                        found = True
                        yield text
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if not found:
        raise DataError(f"{path}: no text in any .txt file; one document a line is expected")


def token_stream(
    documents: tuple[str, ...], tokenizer: Any, between: int, progress: Progress | None = None
) -> NDArray[np.int32]:
    """The tokens of all documents one after the other, with a separator after each; tokenised once, memory-mapped.

    Args:
        documents: The texts.
        tokenizer: A fast one of transformers.
        between: Id of the separator.
        progress: Called with (what, done, total).
    """
    said = hashlib.sha256(f"{tokenizer.backend_tokenizer.to_str()}/{between}\n".encode())
    for text in documents:
        said.update(text.encode() + b"\n")
    file = default_cache_dir() / "tokens" / f"{said.hexdigest()}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{uuid.uuid4().hex}.draft")  # its own: another run may read the same texts
        with draft.open("wb") as opened:
            np.save(opened, _tokens(documents, tokenizer, between, progress))
        draft.replace(file)
    stream: NDArray[np.int32] = np.load(file, mmap_mode="r")
    return stream


def _tokens(documents: tuple[str, ...], tokenizer: Any, between: int, progress: Progress | None) -> NDArray[np.int32]:
    parts: list[NDArray[np.int32]] = []
    for begin in range(0, len(documents), CHUNK):
        chunk = list(documents[begin : begin + CHUNK])
        encoded = tokenizer(chunk, add_special_tokens=False, return_attention_mask=False, verbose=False)
        parts += [np.asarray([*ids, between], dtype=np.int32) for ids in encoded["input_ids"]]
        if progress is not None:
            progress("tokenising", begin + len(chunk), len(documents))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Blocks:
    """A stream cut into blocks of one length; what is left over at its end is not used.

    Attributes:
        stream: Token ids.
        length: Tokens per block, before anything is put around them.
    """

    stream: NDArray[np.int32]
    length: int

    def __len__(self) -> int:
        return len(self.stream) // self.length

    def rows(self, positions: list[int]) -> Tensor:
        """int64 (B, length)."""
        found = [self.stream[one * self.length : (one + 1) * self.length] for one in positions]
        return torch.from_numpy(np.stack(found).astype(np.int64))
