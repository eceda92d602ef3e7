"""Text and names that are not clean Unicode are read, and said to be so."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from regraft.core import Answers, TextSample
from regraft.tasks import Inspection, inspect_data

PHOTOGRAPH = load_sample_image("china.jpg")
ROWS = [{"text": f"message number {i} about {'cats' if i % 2 else 'dogs'}", "label": "ab"[i % 2]} for i in range(40)]


def picture(seed: int) -> bytes:
    top, left = np.random.default_rng(seed).integers(0, (297, 480))
    file = io.BytesIO()
    Image.fromarray(PHOTOGRAPH[top : top + 64, left : left + 80]).save(file, "PNG")
    return file.getvalue()


def codes(found: Inspection) -> dict[str, tuple[str, ...]]:
    return {problem.code: problem.items for problem in found.problems}


def test_half_of_a_character_in_json_is_replaced_and_named(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    odd = [{"text": "half \ud83d of it", "label": "a"}, {"text": "a whole \U0001f600", "label": "b"}]
    file.write_text("\n".join(json.dumps(row) for row in [*ROWS, *odd]))  # as `\\ud83d`, and as a pair of such
    found = inspect_data(file)
    assert found.task is not None
    texts = {one.text for split in found.task.splits.values() for one in split.samples if isinstance(one, TextSample)}
    assert {"half \ufffd of it", "a whole \U0001f600"} < texts
    assert codes(found)["broken-character"] == (f"{file}:41",)


def test_answers_of_a_passage_with_half_a_character_stay_where_they_are(tmp_path: Path) -> None:
    passages = [f"half \ud83d of it and word{i} at last" for i in range(9)]
    paragraphs = [
        {
            "context": one,
            "qas": [{"id": str(i), "question": f"which {i}?", "answers": [{"text": f"word{i}", "answer_start": 17}]}],
        }
        for i, one in enumerate(passages)
    ]
    (tmp_path / "data.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    found = inspect_data(tmp_path / "data.json")
    assert found.task is not None
    assert codes(found) == {"broken-character": (str(tmp_path / "data.json"),)}
    assert found.task.train.targets[0] == Answers(((17, f"word{found.task.train.samples[0].text[6]}"),))


def test_class_folders_may_have_names_in_latin_1(tmp_path: Path) -> None:
    for folder in (b"caf\xe9", b"dog"):
        try:
            os.mkdir(os.fsencode(tmp_path) + b"/" + folder)  # noqa: PTH102 - bytes
        except OSError:
            pytest.skip("this file system takes UTF-8 only")
        for number in range(10):
            file = os.fsencode(tmp_path) + b"/" + folder + b"/%d.png" % number
            Path(os.fsdecode(file)).write_bytes(picture(100 * len(folder) + number))
    found = inspect_data(tmp_path)
    assert (found.classes, sum(found.splits.values())) == (("café", "dog"), 20)
    assert codes(found) == {"foreign-name": (f"{tmp_path}/café",)}


def test_metadata_may_be_in_latin_1_and_name_what_cannot_be(tmp_path: Path) -> None:
    rows = [f"{number}.png,{('café', 'dog')[number % 2]}" for number in range(20)]
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    text = "\n".join(["file_name,label", *rows, "l" * 300 + ".png,dog", "a\0b.png,dog"])
    (tmp_path / "metadata.csv").write_bytes(text.encode("latin-1"))
    found = inspect_data(tmp_path)
    assert (found.classes, sum(found.splits.values())) == (("café", "dog"), 20)
    assert len(codes(found)["mixed-encodings"]) == 10
    assert len(codes(found)["missing-file"]) == 2


@pytest.mark.parametrize("listed", [True, False])
def test_shards_may_name_classes_in_latin_1(listed: bool, tmp_path: Path) -> None:
    if listed:
        (tmp_path / "classes.tsv").write_bytes(b"0\tn01\tcaf\xe9\n1\tn02\tdog\n")
    names = (b"0", b"1") if listed else (b"caf\xe9", b"dog")
    with tarfile.open(tmp_path / "a.tar", "w", encoding="latin-1") as tar:
        for number in range(20):
            for suffix, data in (("png", picture(number)), ("cls", names[number % 2])):
                member = tarfile.TarInfo(f"été/{number}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    found = inspect_data(tmp_path)
    assert found.task is not None
    assert found.task.classes == ("café", "dog")
    assert "mixed-encodings" in codes(found)
    assert "été/" in found.task.train.samples[0].source
