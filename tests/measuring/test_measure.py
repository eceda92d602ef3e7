"""What evidence holds, what it never reads, and what a budget leaves out."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regraft import api
from regraft.core import BackboneError, Evidence, Split, Task
from regraft.measuring import expected_at, measure
from regraft.recommending.situation import Situation
from regraft.running.resources import Resources
from regraft.tasks import open_task

from .conftest import digits_folder, small_vision

PREFIXES = ("profile", "probe", "probe-train", "headroom", "score", "similarity", "cka", "curve", "cost")


def test_evidence_names_every_kind_of_measurement_with_source_and_seconds(picture_evidence: Evidence) -> None:
    evidence = picture_evidence
    assert all(evidence.under(prefix) for prefix in PREFIXES)
    assert all(one.source and one.seconds >= 0 for one in evidence)
    stages = [stage.name for stage in evidence.outline]
    assert set(evidence.under("probe")) == {*stages, "all", "raw"}
    assert set(evidence.under("cka")) == set(stages)
    assert len({one.name for one in evidence}) == len(evidence.measurements)


def test_intervals_hold_what_they_are_of(text_evidence: Evidence) -> None:
    probes = text_evidence.under("probe")
    assert all(one.low <= one.value <= one.high for one in probes.values())
    assert text_evidence.get("score/leep") is None  # MiniLM has no head of its own
    assert probes["layer.5"].value > probes["raw"].value


def test_validation_and_test_parts_are_never_read(
    pictures: Task, picture_evidence: Evidence, resources: Resources
) -> None:
    nothing = Split((), ())
    alone = replace(pictures, splits={"train": pictures.train, "validation": nothing, "test": nothing})

    found = measure(alone, small_vision(), resources=resources)
    for one, other in zip(picture_evidence, found, strict=True):
        assert one.name == other.name
        assert one.value == other.value or math.isnan(one.value) or one.name == "cost/features"


def test_a_budget_leaves_the_rest_out(pictures: Task, resources: Resources) -> None:
    evidence = measure(pictures, small_vision(), budget_seconds=1e-3, resources=resources)
    assert [one.name for one in evidence] == ["cost/features"]


def test_a_budget_takes_as_many_samples_as_the_trunk_can_pass(tmp_path: Path) -> None:
    task = open_task(digits_folder(tmp_path / "digits", 150))
    evidence = measure(task, small_vision(), budget_seconds=1e-3)
    passed = evidence.measurements[0].source.split()[2]
    assert 63 <= int(passed) <= 65 < len(task.train)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pairs.csv", "text,text_pair,label\n" + "".join(f"a {n} b,c {n % 7} d,{n / 40}\n" for n in range(40))),
        ("tags.conll", "".join(f"word{n}\tO\nParis\tB-place\n\n" for n in range(30))),
    ],
)
def test_other_kinds_get_what_makes_sense_of_them(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    evidence = measure(open_task(tmp_path / name), "bundled:minilm")
    assert evidence.get("profile/samples") is not None
    assert evidence.under("cka")
    assert bool(evidence.under("probe")) == (name == "pairs.csv")


def test_a_backbone_that_reads_something_else_is_refused(texts: Task) -> None:
    with pytest.raises(BackboneError, match="reads image"):
        measure(texts, small_vision())


def test_the_learning_curve_foretells_within_its_interval(text_evidence: Evidence) -> None:
    evidence = text_evidence
    sizes = sorted(int(name) for name in evidence.under("curve"))
    found = expected_at(evidence, 2 * sizes[-1])
    assert found is not None
    assert found[1] <= found[0] + 1e-6
    assert found[0] >= evidence.under("curve")[str(sizes[0])].value
    assert expected_at(replace(evidence, measurements=()), 100) is None


def test_the_verb_is_in_the_public_interface() -> None:
    assert api.measure is measure


def test_how_many_samples_were_measured_is_told(pictures: Task, resources: Resources) -> None:
    evidence = measure(pictures, small_vision(), resources=resources, most_samples=30)
    told, there = evidence.get("profile/measured"), evidence.get("profile/samples")
    assert told is not None
    assert there is not None
    assert (there.value, 28 <= told.value <= 32) == (len(pictures.train), True)
    situation = Situation(pictures.summary(), len(pictures.train), evidence)
    assert situation.learnt_from == pytest.approx(0.8 * told.value)


def test_every_score_has_an_interval_or_says_why_not(picture_evidence: Evidence, text_evidence: Evidence) -> None:
    for one in (*picture_evidence.under("score").values(), *text_evidence.under("score").values()):
        if "no interval" in one.source:
            assert math.isnan(one.low)
        else:
            assert one.low <= one.value <= one.high
    assert not math.isnan(text_evidence.under("score")["logme"].low)


def test_quantities_of_one_group_never_foretell_each_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=30)
    rows = "".join(
        f"{'ring ' * (n % 10)}about the parcel of {n // 10},{values[n // 10]:.3f},client {n // 10}\n"
        for n in range(300)
    )
    (tmp_path / "groups.csv").write_text(f"text,label,client\n{rows}")
    evidence = measure(open_task(tmp_path / "groups.csv", group_column="client"), "bundled:minilm")
    for name in ("probe/layer.5", "probe/all", "probe/raw", "score/ridge"):
        found = evidence.get(name)
        assert found is not None
        assert found.value < 0.6, name
    assert "leave-one-group-out" in next(one.source for one in evidence if one.name == "probe/layer.5")


def test_quantities_have_a_learning_curve_and_paired_intervals(tmp_path: Path) -> None:
    rows = "".join(f"{n} {'good ' * (n % 9)}day,{'good ' * (n % 5)}night,{n % 9 / 7:.3f}{n}\n" for n in range(80))
    (tmp_path / "pairs.csv").write_text(f"text,text_pair,label\n{rows}")
    evidence = measure(open_task(tmp_path / "pairs.csv"), "bundled:minilm")
    curve = evidence.under("curve")
    assert len(curve) >= 3
    assert all(one.low <= one.value <= one.high for one in curve.values())
    for name in ("headroom/stage", "similarity/affinity"):
        found = evidence.get(name)
        assert found is not None
        assert found.low <= found.value <= found.high
