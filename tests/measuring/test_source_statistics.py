"""Source statistics: written, read back, used when they lie beside the weights, refused when they do not belong."""

from pathlib import Path

import numpy as np
import pytest

from regraft.backbones import load_backbone
from regraft.backbones.saving import save_backbone
from regraft.core import BackboneError, Task
from regraft.measuring import source_statistics, write_source_statistics
from regraft.measuring.advise import advise
from regraft.measuring.measure import observe
from regraft.measuring.similarity import similarity
from regraft.measuring.source_statistics import FILE, shipped_statistics
from regraft.measuring.subject import Subject

from .conftest import small_vision


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_backbone(small_vision(), tmp_path / "trunk")
    return tmp_path / "trunk"


def test_what_was_written_is_read_back(folder: Path, pictures: Task) -> None:
    file = write_source_statistics(str(folder), pictures, folder, data="handwritten digits")
    assert file == folder / FILE
    backbone = load_backbone(str(folder))
    found, exact = shipped_statistics(backbone), source_statistics(backbone, pictures)
    assert found is not None
    assert (found.data, found.samples) == ("handwritten digits", len(pictures.train))
    np.testing.assert_allclose(found.mean, exact.mean, rtol=1e-5)
    scale = np.sqrt(np.outer(np.diag(exact.covariance), np.diag(exact.covariance)))
    assert np.abs((found.covariance - exact.covariance) / np.maximum(scale, 1e-12)).max() < 2e-3
    assert found.class_means.shape == (3, backbone.outline.stages[-1].width)


def test_similarity_uses_statistics_beside_the_weights(folder: Path, pictures: Task) -> None:
    write_source_statistics(str(folder), pictures, folder)
    near = {one.name: one.value for one in similarity(observe(pictures, str(folder)), None)}
    assert {f"similarity/{name}" for name in ("frechet", "mmd", "proxy-a", "class-means")} <= set(near)
    assert near["similarity/proxy-a"] < 0.5  # the task is the source


def test_given_source_data_go_before_what_is_shipped(subject: Subject, pictures: Task) -> None:
    found = [one for one in similarity(subject, pictures) if one.name == "similarity/mmd"]
    assert "from digits" in found[0].source


def test_statistics_of_other_weights_are_refused(folder: Path, pictures: Task) -> None:
    write_source_statistics(small_vision(), pictures, folder)
    with pytest.raises(BackboneError, match="other weights"):
        shipped_statistics(load_backbone(str(folder)))


def test_damaged_statistics_of_one_backbone_do_not_end_advice(folder: Path, pictures: Task) -> None:
    (folder / FILE).write_bytes(b"not safetensors")
    trunk = load_backbone(str(folder))
    found = advise(pictures, [trunk, load_backbone(str(folder))], budget_seconds=20)
    assert len(found.evidence) == 1  # named twice, looked at once
    assert found.evidence[0].get("probe/layer4") is not None
    assert found.evidence[0].get("similarity/distance") is None
    assert any(FILE in reason and "write it again" in reason for reason in found.reasons)


def test_a_damaged_file_is_named_with_its_cure(folder: Path) -> None:
    (folder / FILE).write_bytes(b"not safetensors")
    with pytest.raises(BackboneError, match=r"source-statistics.*write it again"):
        shipped_statistics(load_backbone(str(folder)))
