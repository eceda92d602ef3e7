"""Files of texts of any kind, told apart by their names' endings and their columns."""

from itertools import chain
from pathlib import Path

from regraft.core import DataError
from regraft.tasks.class_names import ClassNames
from regraft.tasks.reading import SPLIT_NAMES, Columns, Findings, Reading, refuse_columns, split_of, worst
from regraft.tasks.spans import SQUAD_SUFFIX, holds_questions, read_question_rows, read_squad_files
from regraft.tasks.tables import TABLE_SUFFIXES, rows_of
from regraft.tasks.texts import read_texts
from regraft.tasks.tokens import TAGGED_SUFFIXES, read_tagged_files, read_tagged_rows, tagged_columns

# What a file without a row should hold.
EMPTY = {
    "table": "give rows with {0.text} and {0.label}",
    "tagged": "give a token and its tag on each line, and an empty line after each sentence",
    "squad": "give questions with their answers",
}
TEXT_SUFFIXES = (*TABLE_SUFFIXES, *TAGGED_SUFFIXES, SQUAD_SUFFIX)


def split_files(folder: Path) -> dict[Path, str]:
    """The files of texts in `folder` that are named after a split, with the split each holds."""
    return {
        file: split_of(file)
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in TEXT_SUFFIXES and file.stem.lower() in SPLIT_NAMES
    }


def read_text_files(files: dict[Path, str], columns: Columns, names: ClassNames | None = None) -> Reading:
    """Records of all files; `names` are class names by column, where the files do not hold them.

    Raises:
        DataError: They are of different kinds, or nothing in them is usable.
    """
    kinds = {_form(file) for file in files}
    if len(kinds) > 1:
        raise DataError(f"{', '.join(map(str, files))}: files of different kinds; give one kind for all splits")
    findings = Findings()
    form = kinds.pop()
    reading = _read(form, files, columns, findings, names)
    if not reading.records:
        faults = worst(findings.problems()) or EMPTY[form].format(columns)
        raise DataError(f"{', '.join(map(str, files))}: no usable rows; {faults}")
    return reading


def _form(file: Path) -> str:
    suffix = file.suffix.lower()
    return "table" if suffix in TABLE_SUFFIXES else "tagged" if suffix in TAGGED_SUFFIXES else "squad"


def _read(form: str, files: dict[Path, str], columns: Columns, findings: Findings, names: ClassNames | None) -> Reading:
    if form == "tagged":
        refuse_columns(next(iter(files)), columns, "a token and its tag on each line")
        return read_tagged_files(files, findings)
    if form == "squad":
        refuse_columns(next(iter(files)), columns, "questions on passages")
        return read_squad_files(files, findings, columns.group)
    tables = []
    first: dict[str, object] = {}
    for file, split in files.items():
        rows = rows_of(file, findings, names)
        head = list(next(([row] for row in rows), []))
        first = first or (head[0][1] if head else {})
        tables.append((file, split, chain(head, rows)))
    if (tagged := tagged_columns(first, columns)) is not None:
        refuse_columns(next(iter(files)), columns, "tagged words", ("pair",))
        return read_tagged_rows(tables, tagged, findings, columns.group)
    if columns.text not in first and holds_questions(first):
        refuse_columns(next(iter(files)), columns, "questions on passages")
        return read_question_rows(tables, findings, columns.group)
    return read_texts(tables, columns, findings)
