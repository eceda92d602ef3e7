"""What predict is given."""

from pathlib import Path

import pytest
from PIL import Image

from regraft.core import DataError, TextSample
from regraft.inputs import samples_from


def test_a_line_ends_at_its_end_alone(tmp_path: Path) -> None:
    texts = ["one\u2028two", "three\u0085four", "five\x0csix"]
    (tmp_path / "texts.txt").write_bytes("\r\n".join([*texts, ""]).encode())
    samples, _ = samples_from([str(tmp_path / "texts.txt")], [], "text-classification")
    assert [getattr(one, "text", "") for one in samples] == texts


def test_a_line_without_a_name_names_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    samples, refused = samples_from([], ["one.png", "", "  "], "image-classification")
    assert ([Path(one.source).name for one in samples], refused) == (["one.png"], [])
    with pytest.raises(DataError, match="empty name"):
        samples_from([""], [], "image-classification")


def test_words_begin_where_the_user_wrote_them() -> None:
    text = " Anna  Smith lives in\tRome"
    ((sample,), _) = samples_from([text], [], "token-classification")
    assert isinstance(sample, TextSample)
    assert sample.text == "Anna Smith lives in Rome"
    assert [text[start : start + len(word)] for start, word in zip(sample.starts, sample.words, strict=True)] == list(
        sample.words
    )
