"""Questions whose answers are spans of a passage: SQuAD v1.1 and v2.0 files, and tables of the same fields."""

import json
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from regraft.core import Answers, DataError, TextSample
from regraft.tasks.reading import Findings, Reading, Record, Row, group_said
from regraft.tasks.tables import decoded, from_json

SQUAD_SUFFIX = ".json"
FIELDS = ("question", "context", "answers")
ANSWERED, UNANSWERED = "answer", "no answer"


def holds_questions(names: Container[str]) -> bool:
    """Whether a table with columns of these names is one of questions on passages."""
    return all(name in names for name in FIELDS)


def read_question_rows(
    tables: Iterable[tuple[Path, str, Iterable[Row]]], findings: Findings, group_column: str = ""
) -> Reading:
    """Records of tables with `question`, `context` and `answers: {text: [...], answer_start: [...]}`.

    Args:
        tables: (file, split, rows) of each.
        findings: Where problems are noted.
        group_column: Holds what a question belongs to, such as a patient; a passage is a group by itself.
    """
    reading = Reading("question-answering", findings=findings)
    for _, split, rows in tables:
        for place, row in rows:
            answers = row.get("answers")
            if isinstance(answers, dict):
                texts, starts = answers.get("text") or [], answers.get("answer_start") or []
                if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
                    message = "questions whose answers and answer_start are not lists of equal length; left out"
                    findings.add("error", "unequal-lengths", message, place)
                    continue
                given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
                row = {**row, "answers": given, "is_impossible": not given}  # noqa: PLW2901 - the same row, as SQuAD writes it
            _add(reading, place, split, row, row.get("context"), group_said(row.get(group_column)))
    return reading


def read_squad_files(files: dict[Path, str], findings: Findings, group_column: str = "") -> Reading:
    """Records of SQuAD files; a question is named `file:id`, and its group may be the article's `title`."""
    reading = Reading("question-answering", findings=findings)
    for file, split in files.items():
        for row, context, group in _questions(file, findings, group_column):
            _add(reading, f"{file}:{row.get('id', '?')}", split, row, context, group)
    return reading


def _questions(file: Path, findings: Findings, group_column: str) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """(question, passage, group) of a file; the group is a field of the question, its paragraph or its article."""
    form = 'expected SQuAD: {"data": [{"paragraphs": [{"context": ..., "qas": [...]}]}]}'
    try:
        data = from_json(decoded(file, findings), str(file), findings)
    except json.JSONDecodeError as error:
        raise DataError(f"{file}:{error.lineno}: not JSON ({error.msg}); {form}") from error
    except ValueError as error:
        raise DataError(f"{file}: not readable as JSON ({error}); {form}") from error
    try:
        for article in data["data"]:
            for paragraph in article["paragraphs"]:
                for row in paragraph["qas"]:
                    group = next((one[group_column] for one in (row, paragraph, article) if group_column in one), None)
                    yield dict(row), paragraph["context"], group_said(group)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file}: {error!r} where it should not be; {form}") from error


def _add(reading: Reading, place: str, split: str, row: dict[str, Any], context: Any, group: str) -> None:
    """One question, if it is usable."""
    findings, question = reading.findings, row.get("question")
    if not isinstance(question, str) or not question.strip():
        findings.add("error", "empty-text", "questions without text; left out", place)
        return
    if not isinstance(context, str) or not context.strip():
        findings.add("error", "empty-text", "questions without a passage; left out", place)
        return
    given = row.get("answers")
    if not given and not row.get("is_impossible"):
        message = "questions without answers, and not marked is_impossible; left out"
        findings.add("error", "missing-answer", message, place)
        return
    spans: list[tuple[int, str]] = []
    for answer in [] if row.get("is_impossible") else given if isinstance(given, list) else [given]:
        span = _span(answer, context, place, findings)
        if span is None:
            return
        spans.append(span)
    reading.records.append(Record(TextSample(place, question, context), "", split, Answers(tuple(spans)), group))


def _span(answer: Any, context: str, place: str, findings: Findings) -> tuple[int, str] | None:
    """(first character, text) of an answer; an offset that is wrong is repaired where the text occurs once."""
    text = answer.get("text") if isinstance(answer, dict) else None
    start = answer.get("answer_start") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text.strip() or not isinstance(start, int):
        findings.add("error", "missing-answer", "answers without text or answer_start; left out", place)
        return None
    if start >= 0 and context[start : start + len(text)] == text:
        return start, text
    if context.count(text) == 1:
        message = "answers whose answer_start does not point at them; repaired, as their text occurs once"
        findings.add("note", "offset-repaired", message, place)
        return context.index(text), text
    where = "outside of the passage" if start < 0 or start >= len(context) else "where the passage has other words"
    findings.add(
        "error",
        "answer-not-there",
        "answers that are not in the passage where they should be; left out",
        f"{place} (answer_start {start}, {where})",
    )
    return None
