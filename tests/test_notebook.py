"""What a notebook shows of the nouns: short, escaped, and the same numbers as the object has."""

from html.parser import HTMLParser
from typing import Any

import pytest

from regraft import api
from regraft.core import Evidence, Measurement, Split, Task, TextSample
from regraft.demo import intents_folder
from regraft.tasks import few_shot

EVIL = "<script>alert(1)</script>"


class Cells(HTMLParser):
    """The words of every table cell; an open element that is not closed is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def shown(given: Any) -> list[str]:
    html = given._repr_html_()
    cells = Cells()
    cells.feed(html)
    assert cells.open == []
    assert "<script" not in html
    return cells.cells


@pytest.fixture(scope="module")
def task() -> Task:
    return few_shot(api.open_task(intents_folder()), 4, seed=0)


def test_a_task_shows_its_counts_and_not_its_samples(task: Task) -> None:
    cells = shown(task)
    assert all(label in cells for label in task.classes)
    assert f"{len(task.train)}" in cells
    assert len(repr(task)) < 600


def test_a_task_of_many_classes_and_strange_names_is_cut_and_escaped() -> None:
    classes = tuple(f"{EVIL}{number}" for number in range(150))
    part = Split((TextSample("a", "a"),), (0,))
    cells = shown(Task(EVIL, "text-classification", classes, {"train": part, "validation": part}))
    assert "and 131 more" in cells


def test_evidence_shows_every_measurement() -> None:
    outline = api.load_backbone("bundled:minilm").outline
    measured = tuple(Measurement(f"probe/{stage.name}", 0.5, 0.4, 0.6, 1.0, EVIL) for stage in outline)
    evidence = Evidence(EVIL, "bundled:minilm", outline, measured)
    assert shown(evidence).count("0.4 to 0.6") == len(outline)
    assert len(repr(evidence)) < 200


def test_a_backbone_shows_its_stages_and_where_it_came_from() -> None:
    backbone = api.load_backbone("bundled:resnet-small")
    cells = shown(backbone)
    assert {"stem", "layer4", "weights: bundled:resnet-small"} <= set(cells)
    assert "Conv2d" not in repr(backbone)


def test_a_model_and_its_evaluation_show_their_metrics(task: Task) -> None:
    model = api.fit(task, "feature-extraction", backbone="bundled:minilm")
    assert f"{model.results['validation']['accuracy']:.3f}" in shown(model)
    found = model.evaluate(task.validation)
    assert f"{found.metrics['accuracy']:.3f}" in shown(found)
