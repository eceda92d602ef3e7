"""Data sets are downloaded from a hub that answers: its converted branch, or else its own files."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .hub_server import Branches, serving
from .test_hub import CARD, write_pictures, write_texts

NAME = "someone/mail"


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def inspected(branches: Branches, home: Path, data: str = f"hf://{NAME}") -> subprocess.CompletedProcess[str]:
    with serving(NAME, branches) as address:
        environment = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": address}
        arguments = [sys.executable, "-m", "regraft.cli", "inspect", data, "--json", "--quiet"]
        return subprocess.run(arguments, capture_output=True, text=True, env=environment)


def test_the_converted_branch_is_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path / "made/default/train/0000.parquet", range(20))
    write_pictures(tmp_path / "made/default/test/0000.parquet", range(20, 30))
    branches = {"main": {"README.md": b"# Pets"}, "refs/convert/parquet": files_below(tmp_path / "made")}
    done = inspected(branches, tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["kind"], found["classes"], found["splits"]["test"]) == ("image-classification", ["cat", "dog"], 10)


def test_only_the_chosen_configuration_is_downloaded(tmp_path: Path) -> None:
    for config in ("formal", "plain"):
        write_texts(tmp_path / "made" / config / "train/0000.parquet", [0, 1] * 20)
    branches = {"refs/convert/parquet": files_below(tmp_path / "made")}
    done = inspected(branches, tmp_path / "home", f"hf://{NAME}:plain")
    assert done.returncode == 0, done.stderr
    assert {one.parts[-3] for one in (tmp_path / "home").rglob("*.parquet")} == {"plain"}
    done = inspected(branches, tmp_path / "home")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "formal, plain" in done.stderr


def test_without_a_converted_branch_its_own_files_are_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path / "made/data/train-00000-of-00001.parquet", range(20), told=False)
    write_pictures(tmp_path / "made/data/test-00000-of-00001.parquet", range(20, 30), told=False)
    (tmp_path / "made/README.md").write_text(CARD)
    done = inspected({"main": files_below(tmp_path / "made")}, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == ["cat", "dog"]


def test_a_data_set_that_the_hub_lacks_is_one_line(tmp_path: Path) -> None:
    done = inspected({"main": {}}, tmp_path / "home", "hf://someone/else")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "hf://someone/else" in done.stderr
