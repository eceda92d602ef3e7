"""Sentences in words with a tag each: `.conll`, `.iob`, and tables with `tokens` and `tags`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from regraft.core import TextSample
from regraft.tasks.reading import Findings, Reading, Record, Row, group_said
from regraft.tasks.tables import decoded

TAGGED_SUFFIXES = (".conll", ".iob", ".iob2", ".bio")
WORDS_COLUMN = "tokens"
TAG_COLUMNS = ("tags", "ner_tags")
OUTSIDE = "O"
DOCUMENT_START = "-DOCSTART-"  # of the CoNLL-2003 files


def holds_tags(row: dict[str, Any]) -> bool:
    """Whether a table with this row is one of tagged words."""
    return WORDS_COLUMN in row and any(name in row for name in TAG_COLUMNS)


def read_tagged_rows(
    tables: Iterable[tuple[Path, str, Iterable[Row]]], findings: Findings, group_column: str = ""
) -> Reading:
    """Records of tables whose rows hold a list of words and one of tags, and may hold what they belong to."""
    reading = Reading("token-classification", findings=findings)
    for _, split, rows in tables:
        for place, row in rows:
            tags = next((row[name] for name in TAG_COLUMNS if row.get(name) is not None), None)
            words = row.get(WORDS_COLUMN)
            if not isinstance(words, list) or not isinstance(tags, list):
                message = "rows without a list of tokens and a list of tags; left out"
                findings.add("error", "malformed-row", message, place)
                continue
            group = group_said(row.get(group_column))
            _add(reading, place, split, [str(word) for word in words], [str(tag) for tag in tags], group)
    return reading


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
    for number, line in enumerate([*decoded(file, findings).splitlines(), ""], start=1):
        fields = line.split("\t") if "\t" in line else line.split()
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
