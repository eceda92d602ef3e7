"""Any plan runs; interrupted runs end with the bits of uninterrupted ones; failures are told and mended."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim import AdamW

from regraft.activations.store import ActivationStore
from regraft.backbones.contract import features
from regraft.core import OptionError, Plan, Solve, Split, Step, Task, Train, TrainingError, standing
from regraft.heads import LinearHead, build_head
from regraft.heads.classification import ClassHead
from regraft.running import execute
from regraft.running.batches import PooledSource, SampleSource, training_order
from regraft.running.loop import Network, Trainer, validate
from regraft.running.optimise import build_schedule
from regraft.running.probe import solve_logistic

from . import killed_run
from .conftest import small_text, small_vision


def train(stages: int, frozen: int, **options: object) -> Plan:
    rates = (0.0,) * frozen + (1e-3,) * (stages - frozen)
    defaults = {"epochs": 3, "rates": rates, "head_rate": 1e-2, "batch_size": 8, "augment": False}
    return Plan("test", "linear", (Train(**{**defaults, **options}),))


def run(plan: Plan, task: Task, *, store: ActivationStore | None = None, head: nn.Module | None = None, **options):
    backbone = options.pop("backbone", None) or small_vision()
    head = head or build_head(plan.head, backbone.outline.stages[-1].width, len(task.classes), plan.seed)
    steps = list(execute(plan, backbone, head, task, store=store, **{"folder": None, "precision": "fp32", **options}))
    return steps, {**backbone.module.state_dict(), **{f"head.{k}": v for k, v in head.state_dict().items()}}


def same(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_solved_head_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, 120)
    inputs = (rng.normal(size=(120, 10)) * 5 + 2 + 3 * np.eye(10)[targets]).astype(np.float32)
    ours = solve_logistic(inputs, targets, 4, Solve(strengths=(0.1,)), 0)
    scaler = StandardScaler().fit(inputs)
    theirs = LogisticRegression(C=0.1, tol=1e-6, max_iter=2000).fit(scaler.transform(inputs), targets)
    np.testing.assert_allclose(ours.probabilities(inputs), theirs.predict_proba(scaler.transform(inputs)), atol=2e-3)


def test_two_classes_give_the_same_probabilities_as_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 80)
    inputs = (rng.normal(size=(80, 5)) + targets[:, None]).astype(np.float32)
    ours = solve_logistic(inputs, targets, 2, Solve(), 0)
    scaler = StandardScaler().fit(inputs)
    theirs = LogisticRegression(C=ours.strength, max_iter=1000).fit(scaler.transform(inputs), targets)
    np.testing.assert_allclose(ours.probabilities(inputs), theirs.predict_proba(scaler.transform(inputs)), atol=2e-3)
    assert len(ours.chosen.path) == 10


def test_feature_extraction_learns_and_leaves_the_trunk(texts: Task, tmp_path: Path) -> None:
    backbone = small_text()
    head = build_head("logistic", 384, len(texts.classes), 0)
    before = {name: one.clone() for name, one in backbone.module.state_dict().items()}
    (step,) = execute(
        Plan("x", "logistic", (Solve(folds=3),)), backbone, head, texts, store=ActivationStore(tmp_path), folder=None
    )
    assert step.metrics["accuracy"] > 0.3
    assert same(before, backbone.module.state_dict())


def test_partial_tuning_from_the_store_equals_recomputing(pictures: Task, tmp_path: Path) -> None:
    stored, weights = run(train(5, 3), pictures, store=ActivationStore(tmp_path))
    plain, others = run(train(5, 3, cache=False), pictures)
    assert [one.loss for one in stored] == pytest.approx([one.loss for one in plain], rel=2e-3)
    for name in weights:
        torch.testing.assert_close(weights[name], others[name], rtol=0.05, atol=2e-3)


def test_states_that_the_store_has_no_room_for_are_computed_anew_and_it_is_told(pictures: Task, tmp_path: Path) -> None:
    plan = train(5, 3, epochs=2, augment=True, views=8)
    kept, (steps, tuned) = (
        ActivationStore(tmp_path / "kept"),
        run(plan, pictures, store=ActivationStore(tmp_path, 9999)),
    )
    assert ["computed anew" in step.note for step in steps] == [True, False]
    assert not list(tmp_path.rglob("*.safetensors"))
    assert same(tuned, run(train(5, 3, epochs=2, augment=True, cache=False), pictures)[1])
    assert not any("computed anew" in step.note for step in run(plan, pictures, store=kept)[0])


def test_the_loop_equals_a_plain_one(pictures: Task) -> None:
    plan = train(5, 0, epochs=1, weight_decay=0.0, warmup=0.0, clip_norm=1e9)
    steps, _ = run(plan, pictures)
    backbone, split = small_vision(), pictures.train
    head = build_head("linear", backbone.outline.stages[-1].width, 3, 0)
    optimiser = torch.optim.AdamW(
        [{"params": backbone.module.parameters(), "lr": 1e-3}, {"params": head.parameters(), "lr": 1e-2}],
        weight_decay=0,
    )
    order, losses = training_order(len(split), 8, (), "0/0/0"), []
    for number, rows in enumerate(order):
        warm = 0.5 if number == 0 else 0.5 * (1 + np.cos(np.pi * (number - 1) / (len(order) - 1)))
        for group, rate in zip(optimiser.param_groups, (1e-3, 1e-2), strict=True):
            group["lr"] = rate * warm
        state = backbone.collate([backbone.preprocess(split.samples[i]) for i in rows])
        loss = nn.functional.cross_entropy(
            head(features(backbone, state)[-1]), torch.tensor([split.targets[i] for i in rows])
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item() * len(rows))
    assert steps[0].loss == pytest.approx(sum(losses) / len(split), rel=1e-3)


@pytest.mark.parametrize("rate", [0.05, 1e-4])
def test_a_later_phase_that_only_worsens_leaves_the_weights(rate: float, pictures: Task) -> None:
    first = Train(epochs=8, rates=(0.0,) * 5, head_rate=3e-2, batch_size=8, augment=False)
    second = replace(first, epochs=2, rates=(rate,) * 5, head_rate=rate)
    steps, kept = run(Plan("test", "linear", (first, second)), pictures)
    _, alone = run(Plan("test", "linear", (first,)), pictures)
    losses = [[step.metrics["loss"] for step in steps if step.phase == phase] for phase in (0, 1)]
    assert same(alone, kept) == (min(losses[1]) > min(losses[0]))
    assert (rate > 1e-2) == (min(losses[1]) > min(losses[0]))


class Interrupted(ClassHead):
    """A head that stops the run, once, in its nth forward pass."""

    def __init__(self, head: nn.Module, at: int, error: BaseException) -> None:
        super().__init__(3)
        self.head, self.at, self.error, self.calls = head, at, error, 0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self.head(values)


def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(pictures: Task, tmp_path: Path) -> None:
    whole, expected = run(train(5, 2, batch_norm="train"), pictures)
    plan, backbone = train(5, 2, batch_norm="train"), small_vision()
    head = Interrupted(build_head("linear", backbone.outline.stages[-1].width, 3, 0), 15, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(execute(plan, backbone, head, pictures, store=None, folder=tmp_path, precision="fp32"))
    again = Interrupted(build_head("linear", backbone.outline.stages[-1].width, 3, 0), -1, KeyboardInterrupt())
    steps, weights = run(plan, pictures, head=again, folder=tmp_path, resume=True)
    assert [one.loss for one in steps] == [one.loss for one in whole]
    assert same(
        {name.replace("head.", "head.head."): one for name, one in expected.items() if "head." in name}, weights
    )
    assert same({name: one for name, one in expected.items() if "head." not in name}, weights)


def test_resuming_something_else_is_refused(pictures: Task, tmp_path: Path) -> None:
    run(train(5, 3, epochs=1), pictures, folder=tmp_path)
    with pytest.raises(OptionError, match="begun with another plan"):
        run(train(5, 2, epochs=1), pictures, folder=tmp_path, resume=True)


def test_resuming_in_another_precision_is_refused(pictures: Task, tmp_path: Path) -> None:
    run(train(5, 3, epochs=1), pictures, folder=tmp_path)
    with pytest.raises(OptionError, match="begun with another --precision; give"):
        run(train(5, 3, epochs=1), pictures, folder=tmp_path, resume=True, precision="bf16")
    with pytest.raises(OptionError, match="begun with another preprocessing; give"):
        run(train(5, 3, epochs=1), pictures, folder=tmp_path, resume=True, backbone=small_vision(size=32))


def test_a_killed_run_resumes_to_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("killed_run.py")), str(tmp_path / "cut"), "4"]
    killed = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())})
    assert killed.returncode == -signal.SIGKILL
    (checkpoint,) = (tmp_path / "cut").iterdir()
    with safe_open(checkpoint, framework="pt") as opened:
        assert json.loads(opened.metadata()["position"])["epoch"] == 3
    resumed, whole = killed_run.train(tmp_path / "cut"), killed_run.train(tmp_path / "whole")
    assert resumed == whole
    assert len(whole[0]) == 6


def test_a_loss_that_is_not_a_number_is_retried_at_a_tenth(pictures: Task) -> None:
    class Once(ClassHead):
        def __init__(self) -> None:
            super().__init__(3)
            self.head, self.calls = build_head("linear", small_vision().outline.stages[-1].width, 3, 0), 0

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return self.head(values) * (float("nan") if self.calls == 2 else 1)

    steps, _ = run(train(5, 3), pictures, head=Once())
    assert "begun again at 0.1 of the rates" in steps[0].note
    assert len(steps) == 3


def test_twice_not_a_number_is_an_error_with_a_cure(pictures: Task) -> None:
    class Never(LinearHead):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return super().forward(values) * float("nan")

    with pytest.raises(TrainingError, match="--lr"):
        run(train(5, 3), pictures, head=Never(small_vision().outline.stages[-1].width, 3))


def test_less_memory_gives_the_same_result(pictures: Task) -> None:
    plain, _ = run(train(5, 3), pictures)
    width = small_vision().outline.stages[-1].width
    head = Interrupted(build_head("linear", width, 3, 0), 1, torch.OutOfMemoryError("too much"))
    steps, _ = run(train(5, 3), pictures, head=head)
    assert "memory ran out: 4 samples at a time" in steps[0].note
    assert [one.loss for one in steps] == pytest.approx([one.loss for one in plain], rel=1e-4)


def test_a_processor_short_of_memory_halves_the_batch_too(pictures: Task) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8)
    head = Interrupted(build_head("linear", small_vision().outline.stages[-1].width, 3, 0), 1, caught.value)
    steps, _ = run(train(5, 3), pictures, head=head)
    assert "memory ran out: 4 samples at a time" in steps[0].note


def test_memory_that_runs_out_in_the_optimiser_is_an_error_with_a_cure(pictures: Task) -> None:
    class Short(AdamW):
        def step(self, closure: None = None) -> None:
            raise torch.OutOfMemoryError("too much")

    backbone, head = small_vision(), build_head("linear", small_vision().outline.stages[-1].width, 3, 0)
    (phase,) = train(5, 5).phases
    optimiser = Short(head.parameters(), lr=1e-3)
    network, targets = Network(backbone, head, "cpu", False, 8), torch.tensor(pictures.train.targets)
    trainer = Trainer(network, phase, optimiser, build_schedule(optimiser, 0.0, 1), targets, None)
    with pytest.raises(TrainingError, match="optimiser.*--boundary"):
        trainer.epoch(SampleSource(backbone, pictures.train, False, 0), [[0, 1, 2]], 0)


def test_validation_short_of_memory_takes_fewer_at_a_time(pictures: Task) -> None:
    backbone, count = small_vision(), len(pictures.validation)
    source, targets = SampleSource(backbone, pictures.validation, False, 0), torch.tensor(pictures.validation.targets)
    linear = build_head("linear", backbone.outline.stages[-1].width, 3, 0)
    plain = Network(backbone, linear, "cpu", False, 8)
    short = Network(backbone, Interrupted(linear, 1, torch.OutOfMemoryError("too much")), "cpu", False, 8)
    expected, found = (validate(one, source, [list(range(count))], targets) for one in (plain, short))
    assert short.chunk == min(count, 8) // 2
    assert found == pytest.approx(expected, rel=1e-5)


def test_training_forwards_and_backwards_in_whole_float32(pictures: Task) -> None:
    backbone, seen = small_vision(), set()
    layer = backbone.module.layer1[0].conv1
    layer.register_forward_hook(lambda *_: seen.add(torch.backends.cudnn.conv.fp32_precision))
    layer.weight.register_hook(lambda _: seen.add(torch.backends.cudnn.conv.fp32_precision))
    run(train(5, 0, epochs=1), pictures, backbone=backbone)
    assert seen == {"ieee"}  # else CUDA's convolutions round to TF32


def test_another_error_of_the_library_is_not_taken_for_memory(pictures: Task) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2) @ torch.ones(3)
    head = Interrupted(build_head("linear", small_vision().outline.stages[-1].width, 3, 0), 1, caught.value)
    with pytest.raises(RuntimeError, match="size"):
        run(train(5, 3), pictures, head=head)


def test_a_sample_left_over_is_no_batch_of_its_own(pictures: Task) -> None:
    kept = Split(pictures.train.samples[:33], pictures.train.targets[:33])
    odd = replace(pictures, splits={**pictures.splits, "train": kept})
    # At 32 pixels the last stage is one place wide: statistics of one sample alone would be an error.
    backbone = small_vision(size=32)
    head = build_head("linear", backbone.outline.stages[-1].width, 3, 0)
    plan = train(5, 0, batch_size=8, batch_norm="train", epochs=1)
    assert len(list(execute(plan, backbone, head, odd, store=None, folder=None, precision="fp32"))) == 1


def test_early_stopping_keeps_the_best_weights(pictures: Task) -> None:
    plan = train(5, 3, epochs=30, head_rate=3.0, patience=2)
    steps, _ = run(plan, pictures)
    best = min(range(len(steps)), key=lambda number: steps[number].metrics["loss"])
    assert len(steps) < 30
    assert len(steps) - 1 - best == 2


def test_the_validation_loss_is_the_one_that_is_trained() -> None:
    backbone, width = small_vision(), small_vision().outline.stages[-1].width
    head = build_head("linear", width, 3, 0)
    values, wanted = torch.randn(6, width, generator=torch.Generator().manual_seed(0)) * 9, torch.tensor([0, 1, 2] * 2)
    source = PooledSource(len(backbone.outline), values.numpy()[None])
    network = Network(backbone, head, "cpu", low_precision=False, chunk=6)
    found = validate(network, source, [[0, 1, 2], [3, 4, 5]], wanted, 0.1)
    reference = torch.nn.functional.cross_entropy(head(values), wanted, label_smoothing=0.1)
    assert found["loss"] == pytest.approx(float(reference), rel=1e-5)


def test_the_first_loss_of_a_new_head_is_near_ln_c(pictures: Task) -> None:
    steps, _ = run(train(5, 5, head_rate=1e-9, epochs=1), pictures)
    assert steps[0].loss == pytest.approx(np.log(3), rel=0.05)


def test_texts_of_like_length_stand_together() -> None:
    lengths = [int(one) for one in np.random.default_rng(0).integers(3, 200, 640)]
    order = training_order(640, 8, lengths, "seed")
    assert sorted(row for rows in order for row in rows) == list(range(640))
    spread = np.mean([max(lengths[i] for i in rows) - min(lengths[i] for i in rows) for rows in order])
    assert spread < 20
    assert order != training_order(640, 8, lengths, "other")


def test_a_validation_loss_that_is_not_a_number_is_a_divergence_too(pictures: Task) -> None:
    class Once(ClassHead):
        def __init__(self) -> None:
            super().__init__(3)
            self.head, self.told = build_head("linear", small_vision().outline.stages[-1].width, 3, 0), False

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            odd, self.told = not self.training and not self.told, self.told or not self.training
            return self.head(values) * (float("nan") if odd else 1)

    steps, _ = run(train(5, 3, epochs=1), pictures, head=Once())
    assert [np.isfinite(one.metrics["loss"]) for one in steps] == [True]


def test_epochs_of_an_attempt_that_was_given_up_do_not_stand() -> None:
    def step(phase: int, epoch: int, loss: float) -> Step:
        return Step(phase, epoch, loss, {}, 1.0)

    tried = [step(0, 0, 0.5), step(0, 1, 0.4), step(0, 2, 0.3)]
    calm = [step(1, 0, 0.35), step(1, 1, 0.3)]
    assert standing([*tried, step(1, 0, 9.0), step(1, 1, 9.0), *calm]) == (*tried, *calm)


def test_a_later_phase_knows_nothing_of_an_attempt_that_was_given_up(pictures: Task) -> None:
    class Often(ClassHead):
        """Not a number at the second validation."""

        def __init__(self) -> None:
            super().__init__(3)
            self.head = build_head("linear", small_vision().outline.stages[-1].width, 3, 0)
            self.rounds, self.trained = 0, False

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            self.rounds += self.trained and not self.training
            self.trained = self.training
            return self.head(values) * (float("nan") if not self.training and self.rounds == 2 else 1)

    phases = tuple(one for _ in range(2) for one in train(5, 3, epochs=2, patience=0).phases)
    steps, _ = run(replace(train(5, 3), phases=phases), pictures, head=Often())
    assert [(one.phase, one.epoch) for one in steps] == [(0, 0), (0, 0), (0, 1), (1, 0), (1, 1)]
    assert [(one.phase, one.epoch) for one in standing(steps)] == [(0, 0), (0, 1), (1, 0), (1, 1)]
