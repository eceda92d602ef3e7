"""A studio without workers for what needs none, one that runs in its own process for what computes, and a browser."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from regraft.studio.app import create_app
from regraft.studio.catalogue import Offered
from regraft.studio.guard import Door
from regraft.studio.limits import MIB, Limits
from regraft.studio.studio import Config

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OURS = {"X-Regraft": "1"}
WAIT = 600_000  # milliseconds: a machine that does much else is slow, and a test that waits costs nothing
SMALL = Limits(
    upload_bytes=2 * MIB, unpacked_bytes=4 * MIB, files=60, rows=500, columns=12, field_characters=2000, tasks=3
)


def png(side: int = 16, shade: int = 200) -> bytes:
    """A small picture of noise; the shade tells two classes apart."""
    values = np.random.default_rng(shade).integers(0, shade + 1, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, data in files:
            opened.writestr(name, data)
    return file.getvalue()


def write_pictures(folder: Path, count: int = 32) -> Path:
    """Two classes of noise, dark and bright."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / ("bright", "dark")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) // (1 + 2 * (number % 2))
        Image.fromarray(values).resize((64, 64)).save(place / f"{number:03}.png")
    return folder


def texts_table() -> str:
    """Forty messages of two classes."""
    rows = [f"the parcel number {n} has not arrived yet,delivery" for n in range(20)]
    rows += [f"please give me back the {n} euros I paid,refund" for n in range(20)]
    return "text,label\n" + "\n".join(rows) + "\n"


@pytest.fixture
def idle(tmp_path: Path) -> Callable[..., TestClient]:
    """Makes clients of a studio whose workers are never begun, each client another visitor."""
    data = tmp_path / "texts.csv"
    data.write_text(texts_table())
    app = create_app(
        Config(tmp_path / "studio", (Offered("texts", "Texts", data),), limits=SMALL), Door("127.0.0.1", 7860)
    )

    def client(**options: object) -> TestClient:
        return TestClient(app, base_url="http://127.0.0.1:7860", headers=OURS, **options)  # type: ignore[arg-type]

    return client


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A studio in its own process, with two tiny tasks and two backbones."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "messages.csv").write_text(texts_table())
    pictures = write_pictures(folder / "shades")
    command = [sys.executable, "-m", "regraft.cli", "studio", "--port", "0", "--folder", str(folder / "kept")]
    command += ["--data", str(folder / "messages.csv"), "--data", str(pictures), "--backbone", "scratch:test_resnet"]
    surroundings = {**os.environ, "REGRAFT_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            found = re.search(r"http://\S+?(?=/\s)", line)
            assert found, line
            yield found[0]
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture
def visitor(address: str) -> Iterator[httpx2.Client]:
    """A visitor of the running studio."""
    with httpx2.Client(base_url=address, headers=OURS, timeout=WAIT / 1000) as client:
        yield client


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's chromium; a test that wants it is skipped where it is not."""
    found = shutil.which("chromium") or str(CHROMIUM)
    if not Path(found).exists():
        pytest.skip("no chromium: apt-get install -y chromium")
    return Path(found)
