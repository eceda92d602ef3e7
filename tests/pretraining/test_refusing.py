"""Bad input to pretrain is one line, and leaves nothing behind."""

from pathlib import Path

import pytest

from regraft.cli.main import run


@pytest.mark.parametrize(
    "options",
    [
        ("nowhere", "--objective", "supervised", "--architecture", "test_resnet"),
        ("{few}", "--objective", "mlm", "--architecture", "bert-mini"),
        ("{few}", "--objective", "clm", "--architecture", "no-such-network"),
    ],
)
@pytest.mark.parametrize("place", ["net", "deep/er/net", "there"])
def test_bad_input_leaves_no_folder(
    options: tuple[str, ...], place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.txt").write_text("one line\n")
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    given = [one.format(few=tmp_path / "few.txt") for one in options]
    cache = ("--cache-dir", str(tmp_path.with_name("cache")))
    assert run(["pretrain", *given, "--out", str(tmp_path / place), *cache]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
