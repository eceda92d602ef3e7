"""What a command prints is JSON to any reader."""

import io
import json
from pathlib import Path

from regraft.cli.options import Output, Shared


def test_what_is_not_a_number_is_null() -> None:
    file = io.StringIO()
    Output(Shared(file, True, True, 0, "cpu", None, False)).result({"a": [float("inf"), 1.5], "b": {"c": float("nan")}})
    assert json.loads(file.getvalue(), parse_constant=lambda name: name) == {"a": [None, 1.5], "b": {"c": None}}


def test_texts_in_another_encoding_are_read(tmp_path: Path) -> None:
    from regraft.inputs import samples_from

    (tmp_path / "a.txt").write_bytes("größer\n".encode("latin-1"))
    samples, _ = samples_from([str(tmp_path / "a.txt")], [], "text-classification")
    assert [one.text for one in samples] == ["größer"]
