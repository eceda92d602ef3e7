"""The one number that says near or far."""

import json
from pathlib import Path

import numpy as np
import pytest

from regraft import api
from regraft.core import Evidence, Measurement, Task
from regraft.measuring.domain import ENDS, ERRORS, calibrated, domain_distance
from regraft.measuring.measure import measure
from regraft.running.resources import Resources

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "similarity.jsonl"
ROWS = [json.loads(line) for line in RESULTS.read_text().splitlines()]


def distance(reads: str, **values: float) -> Measurement | None:
    measured = {name: Measurement(f"similarity/{name}", value) for name, value in values.items()}
    return domain_distance(measured, reads)  # type: ignore[arg-type]


def test_what_is_near_by_every_measure_is_at_0_and_what_is_far_at_1() -> None:
    near, far = distance("image", confidence=0.6, frechet=0.5), distance("image", confidence=0.05, frechet=3.0)
    assert near is not None
    assert far is not None
    assert (near.value, far.value) == (0.0, 1.0)
    assert near.source.startswith("near")
    assert far.source.startswith("far")


def test_one_measure_alone_leaves_a_wider_interval() -> None:
    one, both = distance("image", confidence=0.35), distance("image", confidence=0.35, frechet=1.7)
    assert one is not None
    assert both is not None
    assert one.high - one.low > both.high - both.low
    assert distance("image", affinity=0.4) is None


@pytest.mark.parametrize(("kind", "reads"), [("vision", "image"), ("text", "text")])
def test_ends_are_those_of_the_benchmark(kind: str, reads: str) -> None:
    found = [row for row in ROWS if row["kind"] == kind]
    for name, ends in ENDS[reads].items():  # type: ignore[index]
        medians = [np.median([row[name] for row in found if row["domain"] == domain]) for domain in (0, 2)]
        assert ends == pytest.approx(medians, abs=2e-3)
    assert set(ERRORS) >= {len(ends) for ends in ENDS.values()}


def test_a_backbone_that_the_ends_were_not_found_on_has_no_distance(pictures: Task, resources: Resources) -> None:
    evidence = measure(pictures, "bundled:resnet-small", resources=resources)
    assert {"confidence", "frechet", "affinity"} <= set(evidence.under("similarity"))
    assert evidence.get("similarity/distance") is None


def test_the_distance_of_texts_holds_for_the_vocabulary_that_it_was_found_on(
    text_evidence: Evidence, tmp_path: Path
) -> None:
    assert text_evidence.get("similarity/distance") is not None
    trunk = api.load_backbone("bundled:minilm")
    assert calibrated(trunk)
    trunk.preprocess.tokenizer.add_tokens(["regraft"])  # type: ignore[attr-defined]
    assert not calibrated(trunk)


def test_the_distance_of_pictures_holds_for_the_size_that_it_was_found_on(shared: Path, tmp_path: Path) -> None:
    weights = shared / "models" / "mobilenetv2_100.imagenet"
    assert calibrated(api.load_backbone(str(weights)))
    for file in weights.iterdir():
        (tmp_path / file.name).symlink_to(file)
    config = json.loads((weights / "config.json").read_text())
    config["pretrained_cfg"]["input_size"] = [3, 96, 96]
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert not calibrated(api.load_backbone(str(tmp_path)))
