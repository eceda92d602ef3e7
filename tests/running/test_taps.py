"""Heads that read an earlier stage, or all of them."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from regraft import api
from regraft.activations.extract import pooled_features
from regraft.core import OptionError, Solve, Task
from regraft.running.probe import solve_logistic
from regraft.strategies import Settings

from .conftest import small_vision


@pytest.mark.parametrize(("boundary", "taps"), [("1", (0,)), ("60%", (2,)), ("all", (0, 1, 2, 3, 4))])
def test_a_head_on_other_stages_is_saved_and_loaded(
    boundary: str, taps: tuple[int, ...], pictures: Task, tmp_path: Path
) -> None:
    backbone = small_vision()
    model = api.fit(
        pictures, "feature-extraction", backbone=backbone, settings=Settings(boundary=boundary), out=tmp_path / "m"
    )
    assert model.head.taps == taps
    samples = pictures.train.samples[:4]
    assert api.load(tmp_path / "m").predict(samples) == model.predict(samples)


def test_all_stages_are_read_side_by_side_and_weighed_alike(pictures: Task) -> None:
    backbone = small_vision()
    parts, _ = pooled_features(backbone, pictures.train.samples, None, precision="fp32")
    features, targets = np.concatenate(parts, axis=1), np.asarray(pictures.train.targets)
    widths = [part.shape[1] for part in parts]
    ours = solve_logistic(features, targets, 3, Solve(strengths=(0.1,)), 0, widths)
    scaled = [
        (part - part.mean(axis=0))
        / np.where(part.std(axis=0) > 1e-9, part.std(axis=0), 1)
        / np.sqrt(part.shape[1] / np.mean(widths))
        for part in parts
    ]
    inputs = np.concatenate(scaled, axis=1)
    theirs = LogisticRegression(C=0.1, tol=1e-6, max_iter=2000).fit(inputs, targets)
    np.testing.assert_allclose(ours.probabilities(features), theirs.predict_proba(inputs), atol=5e-3)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"boundary": "none"}, "some stage"),
        ({"boundary": "layr"}, "no such stage"),
        ({"boundary": "1", "head": "mlp"}, "reads the last stage"),
    ],
)
def test_what_cannot_be_tapped_is_refused(options: dict[str, str], named: str, pictures: Task) -> None:
    with pytest.raises(OptionError, match=named):
        api.prepare(pictures, "feature-extraction", small_vision(), Settings(**options))  # type: ignore[arg-type]
