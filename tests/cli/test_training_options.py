"""Options that say how to train reach the plan, show in a dry run, and are refused where they mean nothing."""

from typing import Any

import pytest

from .conftest import INTENTS, called, refused, shown

TUNED = ("--strategy", "partial-fine-tuning", "--dry-run")
OPTIONS = ("--weight-decay", "0.3", "--label-smoothing", "0.2", "--patience", "2")


def phase(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    *_, last = called(capsys, "fit", INTENTS, *arguments)["plan"]["phases"]
    return last


@pytest.mark.parametrize("strategy", ["partial-fine-tuning", "lora", "lp-ft", "gradual-unfreezing", "from-scratch"])
def test_what_is_said_of_training_is_in_the_plan(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = phase(capsys, "--strategy", strategy, "--dry-run", *OPTIONS)
    assert (found["weight_decay"], found["label_smoothing"], found["patience"]) == (0.3, 0.2, 2)


def test_a_trained_head_on_frozen_features_takes_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    found = phase(capsys, "--strategy", "feature-extraction", "--head", "linear", "--dry-run", *OPTIONS)
    assert (found["weight_decay"], found["label_smoothing"], found["patience"]) == (0.3, 0.2, 2)


def test_a_dry_run_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "fit", INTENTS, *TUNED, *OPTIONS)
    assert "ended by 2 without a better held-out loss" in out
    assert "labels smoothed by 0.2" in out
    assert " 0.3 " in out
    assert "never ended early" in shown(capsys, "fit", INTENTS, *TUNED, "--patience", "0")


def test_the_rank_of_adapters_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    found = phase(capsys, "--strategy", "lora", "--lora-rank", "4", "--dry-run")
    assert (found["adapter"]["rank"], found["adapter"]["alpha"]) == (4, 8)


@pytest.mark.parametrize("strategy", ["full-fine-tuning", "partial-fine-tuning", "lp-ft", "gradual-unfreezing"])
def test_rates_fall_toward_the_input_as_asked(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = phase(capsys, "--strategy", strategy, "--dry-run", "--lr", "0.001", "--layer-decay", "0.5")
    trained = [rate for rate in found["rates"] if rate]
    assert trained == pytest.approx([0.001 * 0.5**i for i in reversed(range(len(trained)))])
    found = phase(capsys, "--strategy", strategy, "--dry-run", "--lr", "0.001", "--layer-decay", "1")
    assert {rate for rate in found["rates"] if rate} == {0.001}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--strategy", "full-fine-tuning", "--lora-rank", "4"), "--lora-rank"),
        (("--strategy", "feature-extraction", "--weight-decay", "0.1"), "--weight-decay: a logistic head is solved"),
        (("--strategy", "feature-extraction", "--patience", "3"), "--patience: a logistic head is solved"),
        (("--strategy", "lora", "--lora-rank", "0"), "--lora-rank"),
        (("--strategy", "lora", "--layer-decay", "0.5"), "--layer-decay: adapters have one rate"),
        (("--strategy", "from-scratch", "--layer-decay", "0.5"), "--layer-decay: random weights"),
        (("--strategy", "feature-extraction", "--layer-decay", "0.5"), "--layer-decay: "),
        (
            ("--strategy", "feature-extraction", "--head", "mlp", "--layer-decay", "0.5"),
            "--layer-decay: no stage trains",
        ),
        (("--layer-decay", "0"), "--layer-decay"),
        (("--layer-decay", "1.5"), "--layer-decay"),
        (("--label-smoothing", "1"), "--label-smoothing"),
        (("--weight-decay", "nan"), "--weight-decay"),
        (("--weight-decay", "-1"), "--weight-decay"),
        (("--shots", "0"), "--shots"),
    ],
)
def test_what_means_nothing_is_refused(
    options: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named in refused(capsys, "fit", INTENTS, "--dry-run", *options)


def test_a_fit_on_few_samples_of_each_class(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    arguments = ("--strategy", "feature-extraction", "--out", str(tmp_path / "m"), "--shots", "5")
    found = called(capsys, "fit", INTENTS, *arguments)
    whole = called(capsys, "inspect", INTENTS)
    assert found["samples"]["train"] == 5 * len(whole["classes"])
    assert found["samples"]["test"] == whole["splits"]["test"]


def test_no_cache_leaves_nothing_on_disk(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    arguments = ("fit", INTENTS, "--strategy", "feature-extraction", "--cache-dir")
    kept = called(capsys, *arguments, str(tmp_path / "a"), "--out", str(tmp_path / "one"))
    none = called(capsys, *arguments, str(tmp_path / "b"), "--out", str(tmp_path / "two"), "--no-cache")
    assert list((tmp_path / "a").rglob("*.safetensors"))
    assert not list((tmp_path / "b").rglob("*.safetensors"))
    assert none["metrics"] == kept["metrics"]


def test_no_cache_keeps_nothing_of_what_auto_measures(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    options = ("--strategy", "auto", "--budget", "5", "--no-cache", "--out", str(tmp_path / "m"))
    found = called(capsys, "fit", INTENTS, *options, "--cache-dir", str(tmp_path / "cache"))
    assert found["metrics"]["test"]["accuracy"] > 0.5
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
