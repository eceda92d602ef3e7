"""What a user gives to `predict`, as samples."""

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from regraft.core import DataError, ImageSample, Sample, TextSample
from regraft.media.pictures import PictureError
from regraft.tasks.images import is_picture
from regraft.tasks.pictures import digested
from regraft.tasks.reading import Findings
from regraft.tasks.tables import decoded


def samples_from(inputs: Sequence[str], lines: Sequence[str], kind: str) -> tuple[list[Sample], list[str]]:
    """Samples, and one line for each input that cannot be used.

    Args:
        inputs: Files, folders and globs of pictures; for text, the texts themselves or a `.txt` file's name.
        lines: From standard input: one text, or one picture's path, each.
        kind: The task's kind.

    Raises:
        DataError: Nothing usable is left.
    """
    if not kind.startswith("image"):
        texts = [text for one in inputs for text in _texts(one)] + list(enumerate_lines("-", lines))
        if not texts:
            raise DataError("no text to predict on; give texts, a .txt file with one a line, or - for standard input")
        return [_text_sample(source, text, kind) for source, text in texts], []
    samples: list[Sample] = []
    refused: list[str] = []
    for one in [*inputs, *(line for line in lines if line.strip())]:
        for file in _pictures(one):
            try:
                samples.append(digested(ImageSample(str(file), str(file), "")))
            except (PictureError, OSError) as error:
                refused.append(f"{file}: left out, {error}")
    if not samples:
        raise DataError(f"{'; '.join(refused) or inputs}: no usable picture among the inputs")
    return samples, refused


def as_sample(one: Sample | str | Path, kind: str) -> Sample:
    """A sample as it is, a picture's file, or a text as a person writes it.

    Raises:
        DataError: It is no picture that can be read, or an incomplete question.
    """
    if not isinstance(one, (str, Path)):
        return one
    if not kind.startswith("image"):
        return _text_sample("input", str(one), kind)
    try:
        return digested(ImageSample(str(one), str(one), ""))
    except (PictureError, OSError) as error:
        raise DataError(f"{one}: no usable picture, {error}") from error


def check_pairs(samples: Sequence[Sample], *, pairs: bool | None) -> None:
    """Refuse single texts where a model takes pairs, and the reverse: it would answer, and the answer mean nothing.

    Args:
        samples: Of any kind.
        pairs: Whether the model takes pairs; None = it is not known.

    Raises:
        DataError: One is of the other form.
    """
    if pairs is None:
        return
    for one in samples:
        if isinstance(one, TextSample) and (one.text_pair is not None) != pairs:
            said = "a single text, and the model was trained on pairs: write TEXT, a tab, TEXT (in a table: text_pair)"
            other = "a pair of texts, and the model was trained on single ones: write one text without a tab"
            raise DataError(f"{one.source}: {said if pairs else other}")


def _text_sample(source: str, text: str, kind: str) -> TextSample:
    """A text, a pair parted by a tab, a question with its passage, or a sentence in words.

    Raises:
        DataError: A question comes without a passage.
    """
    if kind == "token-classification":
        found = list(re.finditer(r"\S+", text))
        words = tuple(one.group() for one in found)
        return TextSample(source, " ".join(words), words=words, starts=tuple(one.start() for one in found))
    first, tab, second = text.partition("\t")
    if kind == "question-answering" and not second.strip():
        raise DataError(f"{source}: a question needs its passage: write QUESTION, a tab, PASSAGE")
    return TextSample(source, first, second) if tab and second.strip() else TextSample(source, text)


def enumerate_lines(name: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    """Non-empty lines with where they stand."""
    return [(f"{name}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip()]


def _texts(given: str) -> list[tuple[str, str]]:
    file = Path(given)
    if given.endswith(".txt") and file.is_file():
        # Not at every line separator of Unicode: a text may hold one, and documents and tables are cut here too.
        return enumerate_lines(given, [line.rstrip("\r") for line in decoded(file, Findings()).split("\n")])
    if given.endswith(".txt") and " " not in given:
        raise DataError(f"{given}: no such file; give texts, a .txt file with one a line, or - for standard input")
    return [(given, given)] if given.strip() else []


def _pictures(given: str) -> list[Path]:
    """The pictures that a path, a folder or a glob names.

    Raises:
        DataError: There is none.
    """
    if not given.strip():
        raise DataError("an empty name among the inputs; name a picture, a folder or a pattern")
    path = Path(given)
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if is_picture(file))
    elif path.exists():
        found = [path]
    else:
        found = sorted(map(Path, glob.glob(given, recursive=True)))  # noqa: PTH207 - Path.glob wants a root
    if not found:
        raise DataError(f"{given}: no such picture, folder or pattern")
    return found
