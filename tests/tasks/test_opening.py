"""Every form of data becomes a task; every problem has a name."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from regraft.core import DataError, ImageSample
from regraft.tasks import few_shot, inspect_data, open_task

PHOTOGRAPH = load_sample_image("china.jpg")


def picture(seed: int) -> Image.Image:
    """A piece of a real photograph: drawn ones have too little detail to be told apart by."""
    top, left = np.random.default_rng(seed).integers(0, (297, 480))
    return Image.fromarray(PHOTOGRAPH[top : top + 128, left : left + 160])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for number in range(20):
            picture(1000 * (label == "dog") + number).save(tmp_path / "pets" / label / f"{number}.png")
    return tmp_path / "pets"


def codes(path: Path, **options: object) -> dict[str, tuple[str, ...]]:
    return {problem.code: problem.items for problem in inspect_data(path, **options).problems}


def table(folder: Path, rows: list[tuple[str, str]], name: str = "data.csv") -> Path:
    file = folder / name
    file.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows))
    return file


ROWS = [(f"message number {i} about {'cats' if i % 2 else 'dogs'}", "ab"[i % 2]) for i in range(40)]


def test_a_folder_is_split_by_class_and_seed(pictures: Path) -> None:
    task = open_task(pictures)
    assert {name: len(split) for name, split in task.splits.items()} == {"train": 26, "validation": 6, "test": 8}
    assert all(Counter(split.targets)[0] == Counter(split.targets)[1] for split in task.splits.values())
    assert open_task(pictures).fingerprint == task.fingerprint != open_task(pictures, seed=1).fingerprint


def test_a_split_of_its_own_is_kept(shared: Path) -> None:
    task = open_task(shared / "data" / "vision" / "flowers5")
    assert (len(task.classes), len(task.splits["test"]), len(task.train) + len(task.validation)) == (5, 200, 400)


@pytest.mark.parametrize("name", ["train", "Test", "val"])
def test_a_class_may_be_called_like_a_split(name: str, pictures: Path) -> None:
    (pictures / "dog").rename(pictures / name)
    found = inspect_data(pictures)
    assert (found.classes, sum(found.splits.values())) == (tuple(sorted(("cat", name))), 40)


def test_what_stands_beside_the_folders_of_splits_is_named(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "all" / "notes").mkdir(parents=True)
    pictures.rename(tmp_path / "all" / "train")
    for name in ("bird", "test"):
        (tmp_path / "all" / name).mkdir()
        picture(7).save(tmp_path / "all" / name / "0.png")
    picture(8).save(tmp_path / "all" / "loose.png")
    assert codes(tmp_path / "all")["beside-splits"] == tuple(
        str(tmp_path / "all" / name) for name in ("bird", "loose.png", "test")
    )
    assert sum(inspect_data(tmp_path / "all").splits.values()) == 40


def test_splits_without_classes_are_no_classes(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (pictures / "cat").rename(tmp_path / "flat" / "train")
    (pictures / "dog").rename(tmp_path / "flat" / "test")
    with pytest.raises(DataError, match="no pictures in class folders"):
        open_task(tmp_path / "flat")


def test_metadata_names_labels(pictures: Path) -> None:
    rows = [f"{label}/{n}.png,{label.upper()}" for label in ("cat", "dog") for n in range(20)]
    (pictures / "metadata.csv").write_text("file_name,label\n" + "\n".join([*rows, "gone.png,CAT"]))
    found = inspect_data(pictures)
    assert found.classes == ("CAT", "DOG")
    assert "missing-file" in {problem.code for problem in found.problems}


def test_damaged_pictures_are_named_and_left_out(pictures: Path) -> None:
    cat = pictures / "cat"
    (cat / "empty.png").touch()
    (cat / "page.jpg").write_text("<html>")
    whole = (cat / "0.png").read_bytes()
    (cat / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("1", (20000, 20000)).save(cat / "bomb.png")
    found = codes(pictures)
    for code in ("empty-file", "unreadable-picture", "truncated-picture", "picture-bomb"):
        assert len(found[code]) == 1, code
    with pytest.raises(DataError, match="empty.png|left out"):
        open_task(pictures, strict=True)


def test_odd_pictures_are_handled_and_noted(pictures: Path) -> None:
    cat = pictures / "cat"
    picture(50).convert("CMYK").save(cat / "print.jpg", "JPEG")
    picture(51).save(cat / "liar.png", "JPEG")
    picture(52).save(cat / "moving.gif", save_all=True, append_images=[picture(53)])
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(54).save(cat / "phone.jpg", exif=exif)
    Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50).save(cat / "deep.png")
    expected = {"cmyk-picture", "wrong-extension", "animated-picture", "rotated-picture", "sixteen-bit-picture"}
    assert expected <= set(codes(pictures))
    assert sum(open_task(pictures).counts()[name]["cat"] for name in ("train", "validation", "test")) == 25


def test_twins_stay_on_one_side(pictures: Path) -> None:
    for number in range(8):
        same = Image.open(pictures / "cat" / f"{number}.png")
        same.save(pictures / "cat" / f"again{number}.jpg", quality=95)
    task = open_task(pictures)
    side = {one.source: name for name, split in task.splits.items() for one in split.samples}
    cat = pictures / "cat"
    assert all(side[str(cat / f"{n}.png")] == side[str(cat / f"again{n}.jpg")] for n in range(8))
    assert len(codes(pictures)["near-duplicate"]) == 8


def test_different_real_pictures_are_not_twins(shared: Path) -> None:
    for name in ("neu_steel", "omniglot20", "sign_digits"):
        assert "near-duplicate" not in codes(shared / "data" / "vision" / name)


def test_leakage_is_cut_from_the_training_part(tmp_path: Path) -> None:
    table(tmp_path, [*ROWS[:30], ROWS[35]], "train.csv")
    table(tmp_path, ROWS[30:], "test.csv")
    found = inspect_data(tmp_path)
    assert found.splits == {"train": 24, "validation": 6, "test": 10}
    assert {p.code: p.items for p in found.problems}["leakage"] == (f"{tmp_path / 'train.csv'}:32",)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
def test_every_table_form_reads_alike(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"data.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"text": [t for t, _ in ROWS], "label": [y for _, y in ROWS]}), file)
    elif form == "jsonl":
        file.write_text("\n".join(json.dumps({"text": t, "label": y}) for t, y in ROWS))
    else:
        mark = {"csv": ",", "tsv": "\t"}[form]
        file.write_text(f"text{mark}label\n" + "\n".join(f"{t}{mark}{y}" for t, y in ROWS))
    task = open_task(file)
    assert sum(map(len, task.splits.values())) == 40
    assert task.classes == ("a", "b")


def test_bad_rows_are_named_by_their_line(tmp_path: Path) -> None:
    file = table(tmp_path, ROWS)
    extra = b'"",a\n"a\0b",a\nonly-one-field\n"x,y\ncaf\xe9 ol\xe9,b\n"no label here",\n"both","a"\n"both","b"\n'
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes() + extra.replace(b'"x,y\n', b""))
    found = codes(file)
    assert found["empty-text"] == (f"{file}:42",)
    assert found["nul-characters"] == (f"{file}:43",)
    assert found["ragged-row"] == (f"{file}:44",)
    assert found["mixed-encodings"] == (f"{file}:45",)
    assert found["missing-label"] == (f"{file}:46",)
    assert len(found["contradictory-labels"]) == 2
    assert "byte-order-mark" in found


def test_labels_are_checked(tmp_path: Path) -> None:
    many = [(f"a text on matter {i}", "complaint") for i in range(60)]
    file = table(tmp_path, [*many, ("one", "complaimt"), ("two", "Complaint"), ("three", "praise")])
    found = codes(file)
    assert len(found["misspelt-label"]) >= 2
    assert "praise" in found["single-sample-class"]
    assert "imbalance" in found


def test_one_class_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only one class"):
        open_task(table(tmp_path, [(text, "a") for text, _ in ROWS]))


def test_unknown_columns_list_the_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it has text, label: choose with --text-column"):
        open_task(table(tmp_path, ROWS), text_column="body")


def test_labels_only_in_test_are_left_out(tmp_path: Path) -> None:
    table(tmp_path, ROWS[:30], "train.csv")
    table(tmp_path, [*ROWS[30:], ("new thing", "c")], "test.csv")
    assert len(codes(tmp_path)["label-only-in-test"]) == 1


def test_fractions_are_a_quantity_and_not_classes(tmp_path: Path) -> None:
    task = open_task(table(tmp_path, [(text, f"{i / 7:.3f}") for i, (text, _) in enumerate(ROWS)]))
    assert (task.kind, task.classes, task.metric) == ("text-regression", (), "pearson")
    low, high = np.quantile([*task.train.targets], [0.2, 0.8])
    assert min(task.splits["test"].targets) < low < high < max(task.splits["test"].targets)


@pytest.mark.parametrize(
    "labels", [[i % 11 / 2 for i in range(60)], [0.5, 1.25, 2.75, 3.125], ["n/a", *(i % 5 + 0.5 for i in range(30))]]
)
def test_any_fraction_makes_a_quantity_and_is_noted(labels: list[object], tmp_path: Path) -> None:
    found = inspect_data(table(tmp_path, [(f"rated text {i}", str(label)) for i, label in enumerate(labels)]))
    assert (found.kind, found.classes) == ("text-regression", ())
    (note,) = [one for one in found.problems if one.code == "quantities"]
    assert (note.severity, "--kind text-classification" in note.message) == ("note", True)


@pytest.mark.parametrize("labels", [["0.0", "1.0"], ["1", "2", "3"], ["v1.5", "v2.5"], ["1.5", "high", "low"]])
def test_whole_numbers_and_names_are_classes(labels: list[str], tmp_path: Path) -> None:
    task = open_task(table(tmp_path, [(f"text {i}", labels[i % len(labels)]) for i in range(30)]))
    assert (task.kind, set(task.classes)) == ("text-classification", set(labels))


def test_a_kind_can_be_said(tmp_path: Path) -> None:
    stars = table(tmp_path, [(f"review {i}", str(1 + i % 5)) for i in range(30)])
    task = open_task(stars, kind="text-regression")
    assert (task.kind, set(task.train.targets)) == ("text-regression", {1, 2, 3, 4, 5})
    halves = table(tmp_path, [(f"review {i}", str(i % 3 / 2)) for i in range(30)], "halves.csv")
    assert open_task(halves, kind="text-classification").classes == ("0.0", "0.5", "1.0")
    with pytest.raises(DataError, match="cannot be read as --kind token-classification"):
        open_task(stars, kind="token-classification")


@pytest.mark.parametrize("packed", [False, True])
def test_shards_are_read_in_place(packed: bool, tmp_path: Path) -> None:
    name = tmp_path / f"train-000.tar{'.gz' if packed else ''}"
    with tarfile.open(name, "w:gz" if packed else "w") as tar:
        for number in range(20):
            for suffix, data in (("jpg", encoded(picture(number))), ("cls", str(number % 2).encode())):
                member = tarfile.TarInfo(f"../../{number}.{suffix}" if number == 0 else f"{number:03}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    task = open_task(tmp_path)
    assert sum(map(len, task.splits.values())) >= 19
    sample = task.train.samples[0]
    assert isinstance(sample, ImageSample)
    assert sample.read()[:2] == b"\xff\xd8"


def write_shard(file: Path, seeds: range) -> None:
    with tarfile.open(file, "w") as tar:
        for number in seeds:
            for suffix, data in (("jpg", encoded(picture(number))), ("cls", str(number % 2).encode())):
                member = tarfile.TarInfo(f"{number:04}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("root", [".", "v1.0", "photos v2.1/day.1"])
def test_shards_may_have_dots_in_their_folders(root: str, tmp_path: Path) -> None:
    (tmp_path / "members").mkdir()
    for number in range(20):
        (tmp_path / "members" / f"{number:04}.JPG").write_bytes(encoded(picture(number)))
        (tmp_path / "members" / f"{number:04}.cls").write_text(str(number % 2))
    (tmp_path / "members" / "._0001.jpg").write_bytes(b"what macOS puts beside a file")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(tmp_path / "members", arcname=root)  # as `tar cf x.tar -C members .` does
    found = inspect_data(tmp_path / "x.tar")
    assert (sum(found.splits.values()), found.classes, found.problems) == (20, ("0", "1"), ())


def test_unnamed_shards_are_learnt_from_and_a_test_shard_beside_them_is_kept(tmp_path: Path) -> None:
    write_shard(tmp_path / "flowers-0.tar", range(20))
    write_shard(tmp_path / "test-0.tar", range(18, 30))
    found = inspect_data(tmp_path)
    assert found.task is not None
    sources = {name: {one.source for one in split.samples} for name, split in found.task.splits.items()}
    assert {name: len(one) for name, one in sources.items()} == {"train": 14, "validation": 4, "test": 12}
    assert all("test-0.tar" in one for one in sources["test"])
    assert all("flowers-0.tar" in one for one in sources["train"] | sources["validation"])
    assert len({problem.code: problem.items for problem in found.problems}["leakage"]) == 2


def test_held_out_shards_alone_are_all_there_is_to_learn_from(tmp_path: Path) -> None:
    write_shard(tmp_path / "test-0.tar", range(20))
    assert {"train", "validation", "test"} == {name for name, size in inspect_data(tmp_path).splits.items() if size}


def test_a_card_may_name_a_split_of_some_files_only(tmp_path: Path) -> None:
    table(tmp_path, ROWS[:30], "messages.csv")
    table(tmp_path, ROWS[30:], "held.csv")
    listed = "data_files: [{path: messages.csv}, {split: test, path: held.csv}]"
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n- config_name: default\n  {listed}\n---\n")
    task = open_task(tmp_path)
    assert {one.source.partition(":")[0] for one in task.splits["test"].samples} == {str(tmp_path / "held.csv")}


def encoded(one: Image.Image) -> bytes:
    file = io.BytesIO()
    one.save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["nowhere", "notes.doc", "empty"])
def test_what_is_no_data_is_one_clear_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.doc").write_text("hello")
    with pytest.raises(DataError, match=name):
        open_task(tmp_path / name)


def test_few_shots_keep_the_test_part(pictures: Path) -> None:
    task = open_task(pictures)
    few = few_shot(task, 3, seed=0)
    assert (len(few.train), len(few.splits["test"])) == (6, 8)
    assert few.fingerprint != task.fingerprint
