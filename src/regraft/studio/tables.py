"""A visitor's table, held against what a table of texts may be before anything else reads it."""

import csv
import json
from pathlib import Path

from regraft.studio.limits import Limits, size_said
from regraft.studio.refusals import RefusedUploadError


def check_table(file: Path, said: str, limits: Limits) -> None:
    """Refuse what is no table of texts.

    Raises:
        RefusedUploadError: It is empty, no UTF-8 text, or beyond a limit.
    """
    data = file.read_bytes()
    if not data.strip():
        raise RefusedUploadError(f"{said}: empty; send a table with the columns text and label")
    if b"\0" in data:
        raise RefusedUploadError(f"{said}: a binary file, not a table; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedUploadError(f"{said}: not UTF-8 (byte {error.start:,}); save it as CSV in UTF-8") from error
    if file.suffix.lower() == ".jsonl":
        _check_lines(text, said, limits)
    else:
        _check_rows(text, "\t" if file.suffix.lower() == ".tsv" else ",", said, limits)


def _check_rows(text: str, delimiter: str, said: str, limits: Limits) -> None:
    previous = csv.field_size_limit(limits.field_characters)
    try:
        count = 0
        for count, row in enumerate(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), start=1):
            if count > limits.rows:
                raise RefusedUploadError(f"{said}: more than {limits.rows:,} rows; send a part of them")
            if len(row) > limits.columns:
                raise RefusedUploadError(f"{said}:{count}: {len(row)} columns; at most {limits.columns} are taken")
        if count < 2:
            raise RefusedUploadError(f"{said}: a header without rows; send a table with the columns text and label")
    except csv.Error as error:
        raise RefusedUploadError(
            f"{said}:{count + 1}: not CSV ({error}); a field has at most {limits.field_characters:,} characters"
        ) from error
    finally:
        csv.field_size_limit(previous)


def _check_lines(text: str, said: str, limits: Limits) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if number > limits.rows:
            raise RefusedUploadError(f"{said}: more than {limits.rows:,} lines; send a part of them")
        if len(line) > limits.field_characters:
            raise RefusedUploadError(
                f"{said}:{number}: a line of more than {size_said(limits.field_characters)}; shorten it"
            )
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RefusedUploadError(
                f"{said}:{number}: not a JSON object on one line; write one object a line"
            ) from error
        if not isinstance(row, dict):
            raise RefusedUploadError(f"{said}:{number}: not a JSON object; write one object a line")
