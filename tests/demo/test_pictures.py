"""The demo's pictures are real, few, and in no two parts at once."""

from pathlib import Path

from regraft.demo import digits_folder, photographs_folder
from regraft.tasks import inspect_data


def test_fifty_digits_of_each_class_are_learnt_from(tmp_path: Path) -> None:
    found = inspect_data(digits_folder(tmp_path / "digits"))
    assert not [problem for problem in found.problems if problem.severity == "error"]
    assert found.classes == tuple("0123456789")
    assert set(found.counts["train"].values()) == {50}
    assert found.splits == {"train": 500, "validation": 100, "test": 400}


def test_tiles_of_three_photographs_do_not_overlap_between_parts(tmp_path: Path) -> None:
    folder = photographs_folder(tmp_path / "photographs")
    assert inspect_data(folder).classes == ("flower", "portrait", "temple")
    for name in ("flower", "portrait", "temple"):
        columns = [
            {int(one.stem.split("-")[1]) for one in (folder / part / name).iterdir()} for part in ("train", "test")
        ]
        assert max(columns[0]) + 64 <= min(columns[1])
