"""Predictions as a file: CSV or JSON lines, by the file's ending."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regraft.core import OptionError
from regraft.predicting.answers import Predicted

SUFFIXES = (".csv", ".jsonl")


def check_file(file: Path) -> None:
    """Refuse a file that predictions cannot be written to, before any is made.

    Raises:
        OptionError: It is there already, its folder is not, or its ending is unknown.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise OptionError(f"--out {file}: give a name that ends in {' or '.join(SUFFIXES)}")
    if file.exists():
        raise OptionError(f"--out {file}: it is there already; name another file or remove it")
    if not file.parent.is_dir():
        raise OptionError(f"--out {file}: there is no folder {file.parent}; make it, or name another")


def most_probable(scores: Mapping[str, float], most: int) -> dict[str, float]:
    """The classes with the highest shares, best first."""
    return dict(sorted(scores.items(), key=lambda one: -one[1])[:most])


def at_most(row: dict[str, Any], top: int | None) -> dict[str, Any]:
    """A prediction as plain data with the shares of the `top` most probable classes; None = of all."""
    return row if top is None or "scores" not in row else {**row, "scores": most_probable(row["scores"], top)}


def write_predictions(file: Path, predictions: Sequence[Predicted], top: int | None = None) -> None:
    """Write all predictions, whole or not at all.

    Args:
        file: One that `check_file` has nothing against.
        predictions: One per input.
        top: Of classes: how many a row has, in CSV as `label, score, label_2, score_2, …`; None = one in CSV, and in
            JSON lines the shares of all.
    """
    rows = [asdict(one) for one in predictions]
    if file.suffix.lower() == ".jsonl":
        text = "".join(json.dumps(at_most(row, top), ensure_ascii=False) + "\n" for row in rows)
    else:
        text = _as_csv([_flat(row, top or 1) for row in rows])
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".draft-") as drafts:
        draft = Path(drafts) / file.name
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(file)


def _flat(row: dict[str, Any], top: int) -> dict[str, Any]:
    """A prediction as cells: of classes the most probable ones, of lists JSON."""
    if "scores" not in row:
        return {
            name: json.dumps(value, ensure_ascii=False) if isinstance(value, (list, tuple)) else value
            for name, value in row.items()
        }
    cells = {"input": row["input"]}
    for number, (label, score) in enumerate(most_probable(row["scores"], top).items(), start=1):
        ending = "" if number == 1 else f"_{number}"
        cells |= {f"label{ending}": label, f"score{ending}": score}
    return cells


def _as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["input"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
