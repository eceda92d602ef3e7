"""Sentences in words with a tag each: `.conll`, `.iob`, and tables with `tokens` and `tags`."""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regraft.core import DataError, TextSample
from regraft.tasks.reading import Columns, Findings, Reading, Record, Row, group_said
from regraft.tasks.tables import decoded

TAGGED_SUFFIXES = (".conll", ".iob", ".iob2", ".bio")
WORDS_COLUMN = "tokens"
TAG_COLUMNS = ("tags", "ner_tags")
OUTSIDE = "O"
BLANKS = re.compile(" +")
DOCUMENT_START = "-DOCSTART-"  # of the CoNLL-2003 files


@dataclass(frozen=True)
class Tagged:
    """Which columns of a table hold words and their tags.

    Attributes:
        words: Holds a list of words.
        tags: Each may hold a list of as many tags; the first that does is read.
    """

    words: str
    tags: tuple[str, ...]


def holds_tags(names: Container[str]) -> bool:
    """Whether a table with columns of these names may be one of tagged words."""
    return WORDS_COLUMN in names and any(name in names for name in TAG_COLUMNS)


def tagged_columns(row: dict[str, Any], columns: Columns) -> Tagged | None:
    """The columns of words and tags in a table with this row; None where it is one of texts or questions.

    A table may hold texts and labels too: tags are read where they were asked for, or where the label is not there.
    """
    usual = Columns()
    words = WORDS_COLUMN if columns.text == usual.text else columns.text
    chosen = columns.label != usual.label
    label, marked = row.get(columns.label), any(name in row for name in TAG_COLUMNS)
    if columns.kind not in {None, "token-classification"} or words not in row:
        return None
    if columns.text != usual.text and not isinstance(row[words], list):
        return None
    if isinstance(label, list) or (chosen and columns.label not in row and marked):
        return Tagged(words, (columns.label,) if chosen or not marked else TAG_COLUMNS)
    texts = columns.text == usual.text and columns.text in row and columns.label in row
    wanted = marked and not chosen and (columns.kind is not None or not texts)
    return Tagged(words, TAG_COLUMNS) if wanted else None


def read_tagged_rows(
    tables: Iterable[tuple[Path, str, Iterable[Row]]], found: Tagged, findings: Findings, group_column: str = ""
) -> Reading:
    """Records of tables whose rows hold a list of words and one of tags, and may hold what they belong to.

    Raises:
        DataError: A table has no column of tags.
    """
    reading = Reading("token-classification", findings=findings)
    for file, split, rows in tables:
        seen: dict[str, None] = {}
        for place, row in rows:
            seen |= dict.fromkeys(row)
            tags = next((row[name] for name in found.tags if row.get(name) is not None), None)
            words = row.get(found.words)
            if not isinstance(words, list) or not isinstance(tags, list):
                message = "rows without a list of tokens and a list of tags; left out"
                findings.add("error", "malformed-row", message, place)
                continue
            if any(isinstance(tag, int) for tag in tags):
                findings.add("note", "numbered-tags", NUMBERED, place)
            group = group_said(row.get(group_column))
            _add(reading, place, split, [str(word) for word in words], list(map(_said, tags)), group)
        if seen and not any(name in seen for name in found.tags):
            raise DataError(
                f"{file}: no column {found.tags[0]!r}; it has {', '.join(seen)}: choose with --label-column the one that "
                "holds a list with a tag for each token"
            )
    return reading


NUMBERED = (
    "tags are numbers without names, so that entities cannot be told; write names such as B-PER instead of numbers, or "
    "give the column a ClassLabel with names"
)


def _said(tag: Any) -> str:
    """A tag as text; empty for one that has none, such as a number without a name among numbers with names."""
    return "" if tag is None else str(tag)


def read_tagged_files(files: dict[Path, str], findings: Findings) -> Reading:
    """Records of files with one word and its tag a line, and an empty line after each sentence."""
    reading = Reading("token-classification", findings=findings)
    for file, split in files.items():
        for place, words, tags in _sentences(file, findings):
            _add(reading, place, split, words, tags)
    return reading


def _add(reading: Reading, place: str, split: str, words: list[str], tags: list[str], group: str = "") -> None:
    """One sentence, if it is usable."""
    findings = reading.findings
    if len(words) != len(tags):
        message = "sentences with more tags than tokens, or fewer; left out, give one tag for each token"
        findings.add("error", "unequal-lengths", message, f"{place} ({len(words)} tokens, {len(tags)} tags)")
        return
    if not words:
        findings.add("error", "empty-text", "sentences without tokens; left out", place)
        return
    if not all(word.strip() for word in words) or not all(tag.strip() for tag in tags):
        findings.add("error", "empty-token", "sentences with an empty token or tag; left out", place)
        return
    sample = TextSample(place, " ".join(words), words=tuple(words))
    reading.records.append(Record(sample, "", split, tuple(tags), group))


def _sentences(file: Path, findings: Findings) -> Iterator[tuple[str, list[str], list[str]]]:
    """(`file:line` of the first word, words, tags) of each sentence; the tag is the last field of a line."""
    words: list[str] = []
    tags: list[str] = []
    begun, broken = 0, False
    for number, line in enumerate([*decoded(file, findings).split("\n"), ""], start=1):
        # Not at any white space: a token may hold a no-break space or a line separator.
        fields = line.split("\t") if "\t" in line else BLANKS.split(line.strip(" \r"))
        if not line.strip() or fields[0] == DOCUMENT_START:
            if words and not broken:
                yield f"{file}:{begun}", words, tags
            words, tags, broken = [], [], False
            continue
        begun = begun if words else number
        if len(fields) < 2:
            message = "lines with a token and no tag; their sentences are left out"
            findings.add("error", "malformed-row", message, f"{file}:{number}")
            broken = True
        words.append(fields[0].strip())
        tags.append(fields[-1].strip())


def tag_order(tags: Iterable[str]) -> tuple[str, ...]:
    """Distinct tags in the order of the head's outputs: `O` first, then by entity type with B before I."""
    return tuple(sorted(set(tags), key=lambda tag: (tag != OUTSIDE, tag.partition("-")[2], tag)))


def marks_entities(tags: Iterable[str]) -> bool:
    """Whether tags mark entities by their beginning and inside; else each word's tag stands for itself."""
    return any(tag.startswith(("B-", "I-")) for tag in tags)
