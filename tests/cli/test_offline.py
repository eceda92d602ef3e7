"""What is on this machine is used without a connection, with `--offline` and without."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regraft.backbones import load_backbone
from regraft.backbones.saving import save_backbone

from .conftest import PROBE, SMALL, called, write_pictures, write_table


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every connection and name look-up that is tried; each fails, and whoever tried may swallow that."""
    tried: list[str] = []

    def refuse(*arguments: object, **options: object) -> None:
        tried.append(str(arguments[-2:]))
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    # `--offline` sets it for the process; put it back after the test.
    monkeypatch.setenv("HF_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", "0"))
    return tried


ROWS = [(f"message number {i} about {'cats' if i % 2 else 'dogs'}", "ab"[i % 2]) for i in range(24)]


@pytest.mark.parametrize("offline", [(), ("--offline",)])
def test_a_bundled_backbone_opens_no_connection(
    offline: tuple[str, ...], attempts: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, out = write_table(tmp_path / "data.csv", ROWS), str(tmp_path / "out")
    assert called(capsys, "fit", data, "--out", out, *PROBE, *offline)["backbone"] == "bundled:minilm"
    assert called(capsys, "predict", out, "a message about cats", *offline)["predictions"]
    assert called(capsys, "backbones", "--available", *offline)["backbones"]
    assert attempts == []


@pytest.mark.parametrize("offline", [(), ("--offline",)])
def test_a_local_folder_opens_no_connection(
    offline: tuple[str, ...], attempts: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, out = write_pictures(tmp_path / "data", 20), str(tmp_path / "out")
    save_backbone(load_backbone(SMALL), tmp_path / "local")
    options = ["--backbone", str(tmp_path / "local"), "--strategy", "full-fine-tuning", "--epochs", "1"]
    assert called(capsys, "fit", data, "--out", out, *options, *offline)["backbone"] == str(tmp_path / "local")
    assert called(capsys, "evaluate", out, data, *offline)["metrics"]
    assert attempts == []


OFFLINE = """
import json, socket, sys
tried = []
def refuse(*arguments, **options):
    tried.append(str(arguments))
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from regraft.cli.main import run
data, out, *names = sys.argv[1:]
print(json.dumps([[run(["fit", data, "--out", out, "--backbone", name, "--strategy", "feature-extraction", "--offline"]) for name in names], tried]))
"""


def test_offline_does_not_ask_the_hub(tmp_path: Path) -> None:
    data, out = write_pictures(tmp_path / "data", 20), tmp_path / "out"
    names = ["timm:resnet18", "hf:nobody/nothing"]
    # In a process of its own, since the hub's library reads its settings once; with an empty cache of the hub.
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, data, str(out), *names],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path / "hub")},
    )
    assert json.loads(done.stdout) == [[2, 2], []]
    assert all("not on this machine and --offline is set" in line for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) == len(names)
    assert not out.exists()


def test_a_hub_out_of_reach_is_one_line_at_once(tmp_path: Path) -> None:
    data, out = write_pictures(tmp_path / "data", 20), tmp_path / "out"
    script = OFFLINE.replace(', "--offline"', "")
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, data, str(out), "timm:resnet18", "hf:nobody/nothing"],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path / "hub")},
    )
    assert json.loads(done.stdout)[0] == [2, 2]
    assert all("the hub cannot be reached" in line for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) == 2
    assert time.monotonic() - begun < 24  # what the hub's library alone would wait, for one name
    assert not out.exists()


def test_pictures_have_an_embedded_backbone_when_the_hub_is_out_of_reach(tmp_path: Path) -> None:
    data, out = write_pictures(tmp_path / "data", 20), tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, data, str(out), "auto"],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path / "hub")},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [[0], []]
    assert "resnet-small" in done.stderr


def test_the_attempts_would_be_seen(attempts: list[str]) -> None:
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    with pytest.raises(OSError, match="no network"):
        socket.socket().connect(("127.0.0.1", 9))
    assert len(attempts) == 2
