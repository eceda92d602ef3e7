"""What is called measured was measured, and is that of training."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from regraft import api
from regraft.comparing import Comparison, compare, energy
from regraft.comparing.energy import Meter
from regraft.comparing.receipt import transfer_gain
from regraft.comparing.receipt_lines import receipt_lines
from regraft.demo import intents_folder
from regraft.tasks import few_shot


def counters(folder: Path, micro: int, most: int = 1_000_000_000) -> Path:
    """A processor package and a part of it, as Linux shows them."""
    for zone in ("intel-rapl:0", "intel-rapl:0:0"):
        (folder / zone).mkdir(parents=True, exist_ok=True)
        (folder / zone / "max_energy_range_uj").write_text(str(most))
        (folder / zone / "energy_uj").write_text(str(micro))
    return folder


def test_a_meter_counts_up_to_its_last_lap(tmp_path: Path) -> None:
    meter = Meter(counters(tmp_path, 900_000_000))
    assert meter.joules is None
    counters(tmp_path, 950_000_000)
    meter.lap()
    counters(tmp_path, 30_000_000)  # gone round
    meter.lap()
    counters(tmp_path, 600_000_000)
    assert meter.joules == pytest.approx(50 + 80, abs=1e-3)


def test_a_machine_that_tells_nothing_has_no_joules(tmp_path: Path) -> None:
    meter = Meter(tmp_path)
    meter.lap()
    assert meter.joules is None


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """On a processor whose counters stand still."""
    task = few_shot(api.open_task(intents_folder()), 2, seed=0)
    folder = tmp_path_factory.mktemp("energy")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(energy, "POWERCAP", counters(folder / "powercap", 7))
        return compare(
            task,
            folder / "study",
            strategies=("feature-extraction", "from-scratch"),
            seeds=1,
            settings=api.Settings(epochs=1),
            resources=api.Resources(device="cpu", cache_dir=folder / "cache"),
        )


def test_the_processor_measures_its_own_work(found: Comparison) -> None:
    assert [one.measured_joules for one in found.trials] == [0.0, 0.0]
    assert found.gain is not None
    assert not found.gain.estimated
    assert "(measured by the processor)" in "\n".join(found.receipt)


def test_what_was_stored_is_estimated(found: Comparison) -> None:
    probe, scratch = found.trials
    kept = replace(probe, steps=tuple(replace(step, stored_seconds=10.0) for step in probe.steps))
    groups = {"feature-extraction": [kept], "from-scratch": [scratch]}
    gain = transfer_gain(groups, found.curves)
    assert gain is not None
    assert gain.joules == (10.0 * energy.CPU_WATTS * len(probe.steps), 0.0)
    assert gain.estimated
    assert "stored activations estimated from time" in "\n".join(receipt_lines(gain, groups))


def test_an_estimate_is_never_held_against_a_measurement(found: Comparison) -> None:
    probe, scratch = found.trials
    groups = {"feature-extraction": [probe], "from-scratch": [replace(scratch, measured_joules=None)]}
    gain = transfer_gain(groups, found.curves)
    assert gain is not None
    assert gain.joules[0] == pytest.approx(probe.training_seconds * energy.CPU_WATTS)
    assert gain.estimated


def test_the_curve_of_forgetting_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter goes on after the last step; what it tells then is another's."""
    folder = counters(tmp_path / "powercap", 0)
    monkeypatch.setattr(energy, "POWERCAP", folder)
    fit = api.fit

    def fit_and_go_on(*arguments: object, **options: object) -> object:
        model = fit(*arguments, **options)  # type: ignore[arg-type]
        counters(folder, 500_000_000)
        return model

    monkeypatch.setattr(api, "fit", fit_and_go_on)
    task = few_shot(api.open_task(intents_folder()), 2, seed=0)
    on_cpu = api.Resources(device="cpu")
    study = compare(task, tmp_path / "study", strategies=("feature-extraction",), seeds=1, resources=on_cpu)
    assert study.trials[0].measured_joules == 0.0
    (kept,) = (tmp_path / "study/trials").glob("*.json")
    assert json.loads(kept.read_text())["measured_joules"] == 0.0
