"""What predict is given."""

from pathlib import Path

from regraft.inputs import samples_from


def test_a_line_ends_at_its_end_alone(tmp_path: Path) -> None:
    texts = ["one\u2028two", "three\u0085four", "five\x0csix"]
    (tmp_path / "texts.txt").write_bytes("\r\n".join([*texts, ""]).encode())
    samples, _ = samples_from([str(tmp_path / "texts.txt")], [], "text-classification")
    assert [getattr(one, "text", "") for one in samples] == texts
