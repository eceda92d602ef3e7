"""Bad input: exit code 2, one line that names the place and the cure, empty stdout, nothing at --out."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import INTENTS, PROBE, SMALL, called, refused, write_pictures, write_table

ROWS = [(f"message number {i} about {'cats' if i % 2 else 'dogs'}", "ab"[i % 2]) for i in range(40)]


def write_tar(file: Path, kept: int | None = None, *, packed: bool = False) -> str:
    """A shard of 512-byte headers and 512-byte members, of which the first `kept` bytes are left."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz" if packed else "w") as tar:
        for number in range(8):
            member = tarfile.TarInfo(f"{number}.cls")
            member.size = 1
            tar.addfile(member, io.BytesIO(b"1"))
    file.write_bytes(whole.getvalue()[:kept])
    return str(file)


def write_parquet(file: Path) -> str:
    pq.write_table(pa.table({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}), file)
    file.write_bytes(file.read_bytes()[:-100])
    return str(file)


def written(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def made(folder: Path) -> str:
    folder.mkdir()
    return str(folder)


DATA: dict[str, tuple[Callable[[Path], str], tuple[str, ...]]] = {
    "missing": (lambda at: str(at / "nowhere"), ("nowhere: no such file or folder",)),
    "empty folder": (lambda at: made(at / "empty"), ("empty", "class folders")),
    "one class": (
        lambda at: write_table(at / "one.csv", [(text, "a") for text, _ in ROWS]),
        ("one.csv", "only one class", "second"),
    ),
    "no label column": (
        lambda at: write_table(at / "data.csv", ROWS, "text,kind"),
        ("data.csv", "'label'", "it has text, kind", "--label-column"),
    ),
    "empty CSV": (lambda at: written(at / "data.csv", ""), ("data.csv", "empty", "header")),
    "header alone": (lambda at: written(at / "data.csv", "text,label\n"), ("data.csv", "no usable rows", "give rows")),
    "ragged CSV": (
        lambda at: written(at / "data.csv", "text,label\n" + "a\nb,c,d\n" * 4),
        ("data.csv:2", "2 fields", "quote"),
    ),
    "open quote": (lambda at: written(at / "data.csv", 'text,label\n"a,b\nc,d\n'), ("data.csv:2", "quote")),
    "truncated Parquet": (lambda at: write_parquet(at / "data.parquet"), ("data.parquet", "write it again")),
    "broken JSON lines": (
        lambda at: written(at / "data.jsonl", '{"text": "a", "label"\n' * 4),
        ("data.jsonl:1", "not a JSON object"),
    ),
    "JSON without labels": (
        lambda at: written(at / "data.jsonl", '{"text": "a"}\n' * 4),
        ("data.jsonl", "'label'", "--label-column"),
    ),
    "deep JSON lines": (lambda at: written(at / "data.jsonl", "[" * 100_000), ("data.jsonl:1", "not a JSON object")),
    "deep JSON": (lambda at: written(at / "data.json", "[" * 100_000), ("data.json", "nested too deeply", "SQuAD")),
    "an endless number": (lambda at: written(at / "data.json", "1" * 5000), ("data.json", "not readable", "SQuAD")),
    "a name too long to be one": (lambda at: str(at / ("long" * 100)), ("long: no such file or folder",)),
    "empty tar": (lambda at: write_tar(at / "a.tar", 0), ("a.tar", "copy it again")),
    "tar cut in a member": (lambda at: write_tar(at / "a.tar", 3 * 1024 - 500), ("a.tar", "copy it again")),
    "tar cut in a header": (lambda at: write_tar(at / "a.tar", 3 * 1024 + 100), ("a.tar", "copy it again")),
    "tar cut between members": (lambda at: write_tar(at / "a.tar", 3 * 1024), ("a.tar", "copy it again")),
    "cut tar.gz": (lambda at: write_tar(at / "a.tar.gz", 100, packed=True), ("a.tar.gz", "copy it again")),
    "text called tar": (lambda at: written(at / "a.tar", "hello" * 500), ("a.tar", "copy it again")),
}


@pytest.mark.parametrize("case", DATA)
@pytest.mark.parametrize("command", ["inspect", "fit", "compare"])
def test_bad_data(case: str, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write, named = DATA[case]
    data, out = write(tmp_path), tmp_path / "out"
    if case == "one class" and command == "inspect":
        assert called(capsys, "inspect", data)["problems"][0]["code"] == "one-class"
        return
    message = refused(capsys, command, data, *([] if command == "inspect" else ["--out", str(out)]))
    assert all(word in message for word in named), message
    assert not out.exists()
    assert not list(tmp_path.rglob("*.draft")) + [one for one in (tmp_path / "cache").rglob("*") if one.is_file()]


FULL = ("--strategy", "full-fine-tuning")
PARTIAL = ("--strategy", "partial-fine-tuning")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((*PARTIAL, "--boundary", "layr.2"), ("--boundary layr.2", "layer.2")),
        ((*PARTIAL, "--boundary", "200%"), ("--boundary 200%", "60%")),
        (("--strategy", "full-fine-tunning"), ("--strategy", "did you mean full-fine-tuning")),
        (("--backbone", "bert-base-uncase"), ("--backbone", "did you mean bert-base-uncased")),
        (("--backbone", "bundled:maxilm"), ("bundled:maxilm", "bundled:minilm")),
        (("--backbone", SMALL), ("--backbone", "pictures", "text")),
        (("--epochs", "0"), ("--epochs", "x>=1")),
        (("--batch-size", "0"), ("--batch-size", "x>=1")),
        (("--lr", "-1"), ("--lr", "x>0")),
        (("--lr", "0"), ("--lr", "x>0")),
        ((*FULL, "--lr", "nan"), ("--lr", "nan", "0.001")),
        ((*FULL, "--lr", "inf"), ("--lr", "inf", "0.001")),
        (("--device", "cuda:63"), ("--device cuda:63", "auto or cpu")),
        (("--device", "nonsense"), ("--device nonsense", "auto, cpu")),
        ((*FULL, "--head", "logistic"), ("--head logistic", "linear or mlp")),
        (("--head", "cubic"), ("--head", "'linear'")),
        (("--precision", "half"), ("--precision", "'bf16'")),
        (("--seed", "-1"), ("--seed", "0<=x")),
        (("--seed", "1" + "0" * 30), ("--seed", "x<=4294967295")),
        (("--no-such-option",), ("--no-such-option",)),
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_bad_options(
    options: tuple[str, ...],
    named: tuple[str, ...],
    as_json: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    message = refused(capsys, "fit", INTENTS, "--out", str(tmp_path / "out"), *options, *as_json)
    assert all(word in message for word in named), message
    assert not (tmp_path / "out").exists()


PROBES = ("--strategies", "feature-extraction,from-scratch")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--seeds", "0"), "--seeds"),
        (("--shots", "0"), "--shots 0: give numbers above 0 or all"),
        (("--shots", "a,b"), "--shots a: give numbers above 0 or all"),
        (("--shots", ""), "--shots"),
        (("--lr", "nan"), "--lr"),
        (("--strategies", "feature-extractoin"), "--strategies feature-extractoin: there is feature-extraction"),
        (("--strategies", "feature-extractoin"), "did you mean feature-extraction"),
        (("--strategies", "auto"), "--strategies auto: there is feature-extraction"),
        (("--penalty", "replay"), "--penalty replay needs data of the source: add --source"),
        (("--penalty", "l2-sp", *PROBES), "--penalty: none of feature-extraction, from-scratch has a use for it"),
        (("--lr", "1e-4", "--strategies", "feature-extraction"), "--lr: none of feature-extraction has a use for it"),
    ],
)
def test_bad_comparisons(
    options: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert named in refused(capsys, "compare", INTENTS, "--out", str(tmp_path / "out"), *options)
    assert not (tmp_path / "out").exists()


def test_an_absent_cuda_device_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    assert "--device cuda: not there" in refused(
        capsys, "fit", INTENTS, "--out", str(tmp_path / "out"), "--device", "cuda"
    )


def test_a_cache_that_is_a_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = written(tmp_path / "file", "kept")
    assert "--cache-dir" in refused(capsys, "fit", INTENTS, "--out", str(tmp_path / "out"), "--cache-dir", file)
    assert Path(file).read_text() == "kept"


def test_a_cache_below_a_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    below = f"{written(tmp_path / 'file', 'kept')}/cache"
    call = ("fit", INTENTS, "--out", str(tmp_path / "out"), "--quiet", "--cache-dir", below)
    assert "--cache-dir" in refused(capsys, *call)
    assert not (tmp_path / "out").exists()


def test_other_files_at_out_stay(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    written(tmp_path / "letter.txt", "dear")
    assert "holds other files" in refused(capsys, "fit", INTENTS, "--out", str(tmp_path))
    assert [one.name for one in tmp_path.iterdir() if one.name != "cache"] == ["letter.txt"]


def test_a_class_with_one_sample_is_reported_and_learnt(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "data", 20)
    (tmp_path / "data" / "lonely").mkdir()
    shutil.move(tmp_path / "data" / "dark" / "001.png", tmp_path / "data" / "lonely" / "1.png")
    problems = {one["code"]: one for one in called(capsys, "inspect", data)["problems"]}
    assert problems["single-sample-class"]["items"] == ["lonely"]
    told = called(capsys, "fit", data, "--out", str(tmp_path / "out"), "--backbone", SMALL, *PROBE)
    assert json.loads(Path(told["model"], "model.json").read_text())["task"]["classes"] == ["bright", "dark", "lonely"]


def test_bad_lines_among_good_ones_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    bad = ['{"text": "no label"}', '{"label": "a"}', '{"text": "cut', "[1]"]
    data = written(tmp_path / "data.jsonl", "\n".join([*bad, *lines]))
    found = {one["code"]: one["items"] for one in called(capsys, "inspect", data)["problems"]}
    assert found["missing-label"] == [f"{data}:1"]
    assert found["empty-text"] == [f"{data}:2"]
    assert found["malformed-row"] == [f"{data}:3", f"{data}:4"]
    assert "data.jsonl:1" in refused(capsys, "inspect", data, "--strict")


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_unusable_pictures_are_not_predicted(
    content: bytes | None, picture_model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "cat.jpg").write_bytes(content)
    message = refused(capsys, "predict", str(picture_model), str(tmp_path / "cat.jpg"), "--json")
    assert "cat.jpg" in message


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("model.json", lambda data: data[: len(data) // 2], "model.json"),
        ("model.json", lambda data: b"", "model.json"),
        ("model.json", lambda data: b"{}", "model.json"),
        ("model.json", lambda data: data.replace(b'"reads": "pooled"', b'"reads": "pairs"'), "head.safetensors"),
        ("head.safetensors", lambda data: data[: len(data) // 2], "head.safetensors"),
        ("head.safetensors", lambda data: b"", "head.safetensors"),
        ("backbone/passport.json", lambda data: data[:9], "passport.json"),
        ("backbone/config.json", lambda data: data[:9], "backbone"),
        ("backbone/model.safetensors", lambda data: data[: len(data) // 2], "backbone"),
    ],
)
def test_a_damaged_model_is_one_line(
    file: str,
    change: Callable[[bytes], bytes],
    named: str,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    shutil.copytree(model, tmp_path / "m")
    whole = (tmp_path / "m" / file).read_bytes()
    (tmp_path / "m" / file).write_bytes(change(whole))
    assert (tmp_path / "m" / file).read_bytes() != whole
    assert named in refused(capsys, "predict", str(tmp_path / "m"), "hello", "--json")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_missing_model_is_one_line(command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = refused(capsys, command, str(tmp_path / "nowhere"), INTENTS)
    assert "nowhere" in message
    assert "regraft fit --out" in message


def test_unknown_classes_are_not_evaluated(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = write_table(tmp_path / "pets.csv", ROWS)
    message = refused(capsys, "evaluate", str(model), data, "--json")
    assert "pets" in message
    assert "does not know the class 'a'" in message


def test_an_unknown_split_lists_those_there_are(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "evaluate", str(model), INTENTS, "--split", "tset")
    assert "--split tset" in message
    assert "train, validation, test" in message


def test_a_split_without_samples_is_refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = json.loads((model / "model.json").read_text())["task"]["classes"][:2]
    for name in ("train", "test"):  # of one sample of each class, none can be held out
        write_table(tmp_path / f"{name}.csv", [(f"{name} message {number}", one) for number, one in enumerate(known)])
    said = refused(capsys, "evaluate", str(model), str(tmp_path), "--split", "validation")
    assert "--split validation" in said
