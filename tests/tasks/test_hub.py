"""Data sets of the hub: Parquet tables with pictures or texts in the hub's layout, and what cannot be had."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from regraft.core import DataError
from regraft.media.pictures import decode_rgb
from regraft.tasks import inspect_data, open_task

PHOTOGRAPH = load_sample_image("china.jpg")
LABEL = {"names": ["cat", "dog"], "_type": "ClassLabel"}
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CARD = """---
license: mit
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': cat
          '1': dog
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
---
# Pets
"""


def encoded(seed: int) -> bytes:
    top, left = np.random.default_rng(seed).integers(0, (297, 480))
    file = io.BytesIO()
    Image.fromarray(PHOTOGRAPH[top : top + 128, left : left + 160]).save(file, "jpeg")
    return file.getvalue()


def write_pictures(file: Path, seeds: range, *, told: bool = True, name: str = "label") -> Path:
    """A table as the `datasets` library writes it; `told`: with the features in its schema."""
    rows = [{"bytes": encoded(seed), "path": f"{seed}.jpg"} for seed in seeds]
    table = pa.table({"image": pa.array(rows, PICTURE), name: pa.array([seed % 2 for seed in seeds], pa.int64())})
    features = {"info": {"features": {"image": {"_type": "Image"}, name: LABEL}}}
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)} if told else None), file)
    return file


def write_texts(file: Path, labels: list[int], column: str = "label") -> None:
    table = pa.table({"text": [f"{file.parent.name} message {i}" for i in range(len(labels))], column: labels})
    features = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, column: LABEL}}}
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), file)


def test_a_table_of_pictures_is_read_picture_by_picture(tmp_path: Path) -> None:
    task = open_task(write_pictures(tmp_path / "pets.parquet", range(30)))
    assert (task.kind, task.classes) == ("image-classification", ("cat", "dog"))
    for split in task.splits.values():
        for sample, target in zip(split.samples, split.targets, strict=True):
            row = int(sample.source.rpartition(":")[2]) - 1
            assert sample.read() == encoded(row)
            assert target == row % 2
            assert decode_rgb(sample.read()).shape == (128, 160, 3)
    assert task.problems == ()


def test_pictures_are_packed_once(tmp_path: Path, own_cache: Path) -> None:
    file = write_pictures(tmp_path / "pets.parquet", range(20))
    first = open_task(file)
    (pack,) = (own_cache / "pictures").iterdir()
    written = pack.stat().st_mtime_ns
    assert open_task(file).fingerprint == first.fingerprint
    assert pack.stat().st_mtime_ns == written


@pytest.mark.parametrize("told", [True, False])
def test_a_folder_with_a_card_keeps_its_splits_and_names(told: bool, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pets/data/train-00000-of-00002.parquet", range(20), told=told)
    write_pictures(tmp_path / "pets/data/train-00001-of-00002.parquet", range(20, 30), told=told)
    write_pictures(tmp_path / "pets/data/test-00000-of-00001.parquet", range(30, 40), told=told)
    (tmp_path / "pets/README.md").write_text(CARD)
    task = open_task(tmp_path / "pets")
    assert task.classes == ("cat", "dog")
    assert len(task.splits["test"]) == 10
    assert len(task.train) + len(task.validation) == 30


def test_files_named_after_splits_need_no_card(tmp_path: Path) -> None:
    write_texts(tmp_path / "mail/plain/train/0000.parquet", [0, 1] * 20)
    write_texts(tmp_path / "mail/plain/test/0000.parquet", [0, 1] * 5)
    task = open_task(tmp_path / "mail")
    assert (task.kind, task.classes, len(task.splits["test"])) == ("text-classification", ("cat", "dog"), 10)


def test_the_only_column_with_class_names_is_the_label(tmp_path: Path) -> None:
    write_texts(tmp_path / "mail/train.parquet", [0, 1] * 20, column="intent")
    assert open_task(tmp_path / "mail").classes == ("cat", "dog")
    assert open_task(write_pictures(tmp_path / "p.parquet", range(20), name="animal")).classes == ("cat", "dog")


def test_rows_without_a_label_or_a_picture_are_named(tmp_path: Path) -> None:
    write_texts(tmp_path / "mail/train.parquet", [0, 1] * 20 + [-1])
    (problem,) = inspect_data(tmp_path / "mail").problems
    assert (problem.code, problem.items) == ("missing-label", (f"{tmp_path}/mail/train.parquet:41",))
    file = write_pictures(tmp_path / "pets.parquet", range(20))
    table = pq.read_table(file).to_pylist()
    table[4]["image"] = None
    pq.write_table(pa.Table.from_pylist(table, pa.schema([("image", PICTURE), ("label", pa.int64())])), file)
    assert [(one.code, one.items) for one in inspect_data(file).problems] == [("empty-picture", (f"{file}:5",))]


def test_one_of_several_configurations_must_be_chosen(tmp_path: Path) -> None:
    for config in ("formal", "plain"):
        write_texts(tmp_path / "mail" / config / "train/0000.parquet", [0, 1] * 20)
    with pytest.raises(DataError, match="formal, plain; choose one"):
        open_task(tmp_path / "mail")


def test_a_hostile_card_is_no_danger(tmp_path: Path) -> None:
    write_texts(tmp_path / "mail/plain/train/0000.parquet", [0, 1] * 20)
    aliases = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    names = "dataset_info: {features: [{name: text, dtype: {class_label: {names: *a11}}}]}"
    files = "configs: [{data_files: [{split: train, path: ../../*}, {split: test, path: /etc/*}]}]"
    (tmp_path / "mail/README.md").write_text(f"---\na0: &a0 [lol]\n{aliases}{names}\n{files}\n---\n")
    assert open_task(tmp_path / "mail").classes == ("cat", "dog")


HERE = """
import json, socket, sys, time
if "cut" in sys.argv:
    def refuse(*arguments, **options):
        raise OSError("no network in this test")
    socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from regraft.cli.main import run
sys.exit(run([one for one in sys.argv[1:] if one != "cut"]))
"""


def said(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since the hub's library reads its settings once; `cut`: without a network."""
    environment = {**os.environ, "HF_HOME": str(home)}
    return subprocess.run([sys.executable, "-c", HERE, *arguments], capture_output=True, text=True, env=environment)


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """The hub's cache as a download of a data set's converted branch leaves it."""
    home, commit = tmp_path / "home", "a" * 40
    folder = home / "hub/datasets--someone--mail"
    for config in ("formal", "plain"):
        write_texts(folder / "snapshots" / commit / config / "train/0000.parquet", [0, 1] * 20)
    write_texts(folder / "snapshots" / commit / "plain/test/0000.parquet", [0, 1] * 5)
    (folder / "refs/refs/convert").mkdir(parents=True)
    (folder / "refs/refs/convert/parquet").write_text(commit)
    return home


@pytest.mark.parametrize("how", [("--offline",), ("cut",)])
def test_a_downloaded_data_set_is_found_without_a_network(how: tuple[str, ...], cached: Path) -> None:
    done = said(cached, "inspect", "hf://someone/mail:plain", "--json", *how)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["classes"], found["splits"]["test"]) == (["cat", "dog"], 10)
    done = said(cached, "inspect", "hf://someone/mail", *how)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "formal, plain" in done.stderr


@pytest.mark.parametrize(("how", "why"), [("--offline", "--offline is set"), ("cut", "cannot be reached")])
def test_a_data_set_that_cannot_be_had_is_one_line_at_once(how: str, why: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    done = said(tmp_path, "inspect", "hf://someone/mail", how)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert why in done.stderr
    assert "--local-dir" in done.stderr
    assert time.monotonic() - begun < 15  # the hub's library alone would try for 24 s


@pytest.mark.parametrize("name", ["hf://", "hf://some one/mail", "hf://someone/mail:", "hf://someone/mail:../other"])
def test_what_is_no_name_of_a_data_set_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="hf://OWNER/NAME"):
        open_task(name, offline=True)
