"""Shared fixtures: where the real data are, and a cache folder that each test has to itself."""

import os
import sys
from pathlib import Path

import pytest

# Tests start many processes, and a library that is compiled again in each of them takes longer than most tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Beside other test processes one processor each: threads that wait for a processor spin and slow down all. What a test
# starts has as many, since sums of another number of threads have other last bits.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER and hasattr(os, "sched_setaffinity"):
    ours = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {ours[int(WORKER.removeprefix("gw")) % len(ours)]})
os.environ.setdefault("OMP_NUM_THREADS", "1" if WORKER else "2")

import torch  # noqa: E402 - a library counts its processors when it is loaded

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def _shared_folder() -> Path | None:
    """The folder of real data and weights, where there is one."""
    named = os.environ.get("REGRAFT_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[1].parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights; the test is skipped where it is absent."""
    folder = _shared_folder()
    if folder is None:
        pytest.skip("real data not found: set REGRAFT_SHARED to the folder that holds data/ and models/")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Activations, models and shards of one test never reach another."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("REGRAFT_CACHE", str(folder))
    return folder
