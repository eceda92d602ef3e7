"""What belongs together stays together: in splits, in folds, and in parts that a comparison makes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regraft.comparing.parts import with_test
from regraft.core import DataError, Solve, Task
from regraft.running.cross_validation import stratified_folds
from regraft.running.probe import solve_logistic, solve_ridge
from regraft.strategies.feature_extraction import RIDGE_STRENGTHS
from regraft.tasks import inspect_data, open_task
from regraft.tasks.splits import held_out


def patients(file: Path, *, people: int = 20, split: str = "") -> Path:
    """Six reports of each patient."""
    rows = [
        f"report {split} {i} of patient {person},{'ill' if person % 2 else 'well'},p{person}"
        for person in range(people)
        for i in range(6)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["text,label,patient", *rows]) + "\n")
    return file


def person(source: str) -> str:
    file, _, line = source.rpartition(":")
    return Path(file).read_text().splitlines()[int(line) - 1].rpartition(",")[2]


def people_by_split(task: Task) -> list[set[str]]:
    return [{person(one.source) for one in split.samples} for split in task.splits.values()]


def test_no_split_parts_a_group(tmp_path: Path) -> None:
    file = patients(tmp_path / "reports.csv")
    parts = people_by_split(open_task(file, group_column="patient"))
    assert len(set.union(*parts)) == sum(map(len, parts)) == 20
    parts = people_by_split(open_task(file))  # without a word of groups it would
    assert len(set.union(*parts)) < sum(map(len, parts))


@pytest.mark.parametrize("seed", [7, 8, 9])  # which would hold it out
def test_a_class_within_one_group_is_learnt(seed: int, tmp_path: Path) -> None:
    file = patients(tmp_path / "reports.csv")
    file.write_text(file.read_text().replace("report  0 of patient 3,ill", "report  0 of patient 3,dying"))
    task = open_task(file, group_column="patient", seed=seed)
    assert task.classes == ("dying", "ill", "well")
    assert task.classes.index("dying") in task.train.targets


def test_a_group_in_two_given_splits_stays_in_the_later_one(tmp_path: Path) -> None:
    patients(tmp_path / "data/train.csv", split="a")
    patients(tmp_path / "data/test.csv", people=4, split="b")
    found = inspect_data(tmp_path / "data", group_column="patient")
    assert found.task is not None
    parts = people_by_split(found.task)
    assert len(set.union(*parts)) == sum(map(len, parts))
    (problem,) = [one for one in found.problems if one.code == "parted-group"]
    assert len(problem.items) == 24


def test_pictures_have_groups_in_their_metadata(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["file_name,label,eye"]
    for number in range(40):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'ill' if number // 4 % 2 else 'well'},eye{number // 4}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    task = open_task(tmp_path, group_column="eye")
    eyes = [{int(Path(one.source).stem) // 4 for one in split.samples} for split in task.splits.values()]
    assert len(set.union(*eyes)) == sum(map(len, eyes)) == 10


def test_tagged_words_have_groups(tmp_path: Path) -> None:
    rows = [
        {"tokens": ["Report", str(i), f"p{person}"], "tags": ["O", "O", "B-WHO"], "patient": f"p{person}"}
        for person in range(20)
        for i in range(6)
    ]
    (tmp_path / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = named_by_split(open_task(tmp_path / "notes.jsonl", group_column="patient"))
    assert len(set.union(*parts)) == sum(map(len, parts)) == 20
    parts = named_by_split(open_task(tmp_path / "notes.jsonl"))
    assert len(set.union(*parts)) < sum(map(len, parts))


def named_by_split(task: Task) -> list[set[str]]:
    """The last word of each text: here whom it is about."""
    return [{one.text.rpartition(" ")[2] for one in split.samples} for split in task.splits.values()]


@pytest.mark.parametrize("form", ["squad", "table"])
def test_questions_have_groups_besides_their_passages(form: str, tmp_path: Path) -> None:
    """Three passages an article, two questions a passage."""
    asked = [
        {"id": f"{article}-{passage}-{i}", "question": f"What {i} of article{article}", "title": f"article{article}"}
        | {"context": f"Passage {passage} of {article} says so.", "answers": [{"text": "says", "answer_start": 15}]}
        for article in range(10, 30)
        for passage in range(3)
        for i in range(2)
    ]
    file = tmp_path / f"asked.{'json' if form == 'squad' else 'jsonl'}"
    if form == "squad":
        articles = [{"title": one["title"], "paragraphs": [{"context": one["context"], "qas": [one]}]} for one in asked]
        file.write_text(json.dumps({"data": articles}))
    else:
        rows = [one | {"answers": {"text": ["says"], "answer_start": [15]}} for one in asked]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = named_by_split(open_task(file, group_column="title"))
    assert len(set.union(*parts)) == sum(map(len, parts)) == 20
    assert len(set.union(*named_by_split(open_task(file)))) < sum(map(len, named_by_split(open_task(file))))


@pytest.mark.parametrize("data", ["folder", "table"])
def test_a_column_that_is_not_there_is_refused(data: str, tmp_path: Path) -> None:
    file = patients(tmp_path / "reports.csv")
    (tmp_path / "pictures/cat").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (32, 32), (60 * number, 0, 0)).save(tmp_path / f"pictures/cat/{number}.png")
    with pytest.raises(DataError, match="--group-column"):
        open_task(file if data == "table" else tmp_path / "pictures", group_column="ward")


def test_folds_of_a_solved_head_part_no_group(tmp_path: Path) -> None:
    task = open_task(patients(tmp_path / "reports.csv"), group_column="patient")
    together = np.array(task.together(task.train.samples))
    folds = stratified_folds(np.array(task.train.targets), 5, 0, together)
    assert len(folds) > 1
    for learnt, held in folds:
        assert not set(together[learnt]) & set(together[held])


def test_copies_do_not_choose_the_strength() -> None:
    """Noise with every sample six times: learnt and held out at once, it seems best to learn all of it by heart."""
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(40, 64)).astype(np.float32), 6, axis=0)
    features += rng.normal(size=features.shape).astype(np.float32) * 0.01
    targets = np.repeat(rng.permutation(40) % 2, 6)
    apart = solve_logistic(features, targets, 2, Solve(), 0)
    together = solve_logistic(features, targets, 2, Solve(), 0, (), [row // 6 for row in range(240)])
    assert 100 * together.strength <= apart.strength


def test_copies_do_not_choose_the_strength_of_a_ridge_head() -> None:
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(40, 64)).astype(np.float32), 6, axis=0)
    features += rng.normal(size=features.shape).astype(np.float32) * 0.01
    targets, phase = np.repeat(rng.normal(size=40), 6), Solve(RIDGE_STRENGTHS)
    apart = solve_ridge(features, targets, phase)
    together = solve_ridge(features, targets, phase, (), [row // 6 for row in range(240)])
    assert 100 * together.strength <= apart.strength


def test_a_class_of_one_group_leaves_folds_that_learn_all_classes() -> None:
    targets = np.array([0] * 6 + [1] * 12)
    together = [0] * 6 + [10 + row // 2 for row in range(12)]
    for learnt, held in stratified_folds(targets, 5, 0, together):
        assert set(targets[learnt]) == {0, 1}
        assert len(held)


def test_a_test_part_made_of_the_validation_part_parts_no_group(tmp_path: Path) -> None:
    patients(tmp_path / "data/train.csv", split="a")
    rows = (tmp_path / "data/train.csv").read_text().splitlines()
    (tmp_path / "data/train.csv").write_text("\n".join(rows[:73]) + "\n")
    (tmp_path / "data/validation.csv").write_text("\n".join([rows[0], *rows[73:]]) + "\n")
    task, _ = with_test(open_task(tmp_path / "data", group_column="patient"))
    parts = people_by_split(task)
    assert len(task.splits["test"])
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_a_class_that_is_rare_in_its_only_group_is_never_held_out_whole() -> None:
    labels = ["a"] * 90 + ["b"] * 10
    groups = [position // 10 for position in range(80)] + [8] * 20  # the last party has all of b, and as many of a
    labels[89] = "b"
    labels[91] = "a"
    for seed in range(20):
        held = held_out(labels, groups, 0.3, seed)
        assert held
        assert {labels[position] for position in range(100) if position not in held} == {"a", "b"}
