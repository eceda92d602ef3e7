"""The whole way over the API of a running studio: upload, survey, train, watch, cancel, predict, fetch, isolate."""

import io
import time
import zipfile
from typing import Any

import httpx2
import pytest
from tests.studio.conftest import OURS, packed, png, texts_table

SMALL = "scratch:test_resnet"


def finished(visitor: httpx2.Client, name: str) -> dict[str, Any]:
    """The job once it is over, with every event."""
    after, events = 0, []
    for _ in range(600):
        found = visitor.get(f"/api/jobs/{name}", params={"after": after}).json()
        after = found["after"]
        events += found["events"]
        if found["job"]["state"] not in {"waiting", "running"}:
            return {**found, "events": events}
        time.sleep(0.4)
    raise AssertionError("the job did not end")


def asked(visitor: httpx2.Client, **body: Any) -> str:
    answer = visitor.post("/api/jobs", json=body)
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["name"]
    return name


def test_a_backbone_is_surveyed_at_every_boundary(visitor: httpx2.Client) -> None:
    found = visitor.get("/api/tasks/given-1/survey", params={"backbone": SMALL}).json()
    names = [stage["name"] for stage in found["stages"]]
    partial = found["plans"]["partial-fine-tuning"]
    assert set(names[:-1]) <= set(partial)
    for boundary, plan in partial.items():
        if boundary:
            frozen = names.index(boundary) + 1 if boundary != "none" else 0
            assert [rate == 0 for rate in plan["phases"][-1]["rates"]] == [True] * frozen + [False] * (
                len(names) - frozen
            )
            assert plan["trained_parameters"] == sum(stage["parameters"] for stage in found["stages"][frozen:])


def test_only_offered_backbones_are_loaded(visitor: httpx2.Client) -> None:
    answer = visitor.get("/api/tasks/given-1/survey", params={"backbone": "/etc"})
    assert answer.status_code == 422
    assert "not offered" in answer.json()["error"]


def test_a_run_is_told_epoch_by_epoch_and_gives_a_model(visitor: httpx2.Client) -> None:
    settings = {"epochs": 2, "boundary": "layer2"}
    name = asked(visitor, verb="fit", task="given-1", backbone=SMALL, strategy="partial-fine-tuning", settings=settings)
    found = finished(visitor, name)
    assert found["job"]["state"] == "done", found["job"]["message"]
    steps = [event for event in found["events"] if event["type"] == "step"]
    assert [step["number"] for step in steps] == [1, 2]
    assert steps[0]["left"] > 0
    assert steps[-1]["left"] == 0
    result = found["result"]
    assert result["forgetting"]["feature_drift"] >= 0
    assert 0 <= result["metrics"]["accuracy"] <= 1
    packed_model = zipfile.ZipFile(io.BytesIO(visitor.get(f"/api/jobs/{name}/model.zip").content))
    names = {part.split("/", 1)[1] for part in packed_model.namelist()}
    assert {"model.json", "head.safetensors", "backbone/model.safetensors"} <= names
    report = visitor.get(f"/api/jobs/{name}/report.html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "What was forgotten" in report.text

    picture = visitor.post("/api/pictures", content=png(64)).json()["name"]
    told = visitor.post(f"/api/jobs/{name}/predict", json={"picture": picture}).json()
    assert sum(told["prediction"]["scores"].values()) == pytest.approx(1)
    assert len(told["explanation"]["grid"]) == 8
    with httpx2.Client(base_url=str(visitor.base_url), headers=OURS) as other:
        assert other.get(f"/api/jobs/{name}").status_code == 404
        assert other.get(f"/api/jobs/{name}/model.zip").status_code == 404
        assert other.get("/api/jobs").json() == []


def test_a_cancelled_run_ends_and_the_next_one_runs(visitor: httpx2.Client) -> None:
    name = asked(
        visitor, verb="fit", task="given-1", backbone=SMALL, strategy="full-fine-tuning", settings={"epochs": 900}
    )
    for _ in range(600):
        if visitor.get(f"/api/jobs/{name}").json()["job"]["state"] == "running":
            break
        time.sleep(0.2)
    assert visitor.post(f"/api/jobs/{name}/cancel").json()["state"] == "cancelled"
    again = asked(visitor, verb="fit", task="given-1", backbone=SMALL, strategy="feature-extraction")
    assert finished(visitor, again)["job"]["state"] == "done"
    assert visitor.delete(f"/api/jobs/{name}").status_code == 204
    assert [job["name"] for job in visitor.get("/api/jobs").json()] == [again]


def test_a_wrong_setting_is_told_in_the_words_of_the_verb(visitor: httpx2.Client) -> None:
    name = asked(
        visitor,
        verb="fit",
        task="given-1",
        backbone=SMALL,
        strategy="partial-fine-tuning",
        settings={"boundary": "nowhere"},
    )
    found = finished(visitor, name)
    assert found["job"]["state"] == "failed"
    assert "--boundary nowhere" in found["job"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"verb": "fit", "task": "given-1", "backbone": SMALL, "strategy": "auto", "settings": {"epochs": 0}},
        {"verb": "fit", "task": "given-1", "backbone": SMALL, "strategy": "auto", "extra": 1},
        {"verb": "pickle", "task": "given-1"},
        {"verb": "compare", "task": "given-1", "backbone": SMALL, "strategies": []},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(visitor: httpx2.Client, body: dict[str, Any]) -> None:
    answer = visitor.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_an_uploaded_table_is_a_task_of_its_visitor_alone(visitor: httpx2.Client) -> None:
    sent = visitor.post("/api/tasks", params={"name": "my mail.csv"}, content=texts_table().encode())
    assert sent.status_code == 201, sent.text
    task = sent.json()
    assert task["title"] == "my-mail"
    assert task["inspection"]["classes"] == ["delivery", "refund"]
    with httpx2.Client(base_url=str(visitor.base_url), headers=OURS) as other:
        assert other.get(f"/api/tasks/{task['name']}").status_code == 404
        assert task["name"] not in {one["name"] for one in other.get("/api/tasks").json()}
    assert visitor.delete(f"/api/tasks/{task['name']}").status_code == 204


def test_an_uploaded_archive_of_class_folders_is_a_task(visitor: httpx2.Client) -> None:
    files = [(f"set/{name}/{n}.png", png(24, shade)) for name, shade in (("a", 250), ("b", 60)) for n in range(1)]
    files += [
        (f"set/{name}/{n}.png", png(24, shade + n)) for name, shade in (("a", 200), ("b", 60)) for n in range(1, 7)
    ]
    sent = visitor.post("/api/tasks", params={"name": "two.zip"}, content=packed(*files))
    assert sent.status_code == 201, sent.text
    assert sent.json()["inspection"]["classes"] == ["a", "b"]
    thumbs = visitor.get(f"/api/tasks/{sent.json()['name']}/thumbs/0")
    assert thumbs.headers["content-type"] == "image/png"


def test_data_with_one_class_is_refused_and_not_kept(visitor: httpx2.Client) -> None:
    before = visitor.get("/api/tasks").json()
    sent = visitor.post("/api/tasks", params={"name": "one.csv"}, content=b"text,label\n" + b"hello you,a\n" * 9)
    assert sent.status_code == 422
    assert visitor.get("/api/tasks").json() == before


def test_a_text_that_names_a_file_is_a_text(visitor: httpx2.Client) -> None:
    wanted = {"backbone": "bundled:minilm", "text": "/etc/hostname.txt"}
    found = visitor.post("/api/tasks/given-0/look", json=wanted)
    assert found.status_code == 200, found.text
    assert found.json()["words"] == ["/etc/hostname.txt"]


def test_scenarios_are_asked_without_their_answers_and_graded(visitor: httpx2.Client) -> None:
    found = visitor.get("/api/scenarios").json()
    assert len(found) >= 3
    assert "right" not in str(found[0].keys())
    graded = visitor.post("/api/scenarios/2", json={"answer": "c"}).json()
    assert graded["right"] is True
    assert graded["why"]
    assert graded["ranking"]
