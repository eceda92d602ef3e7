"""A worker's fit, called as the worker calls it."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from regraft.core import InputError
from regraft.studio.work.training import fit

from .conftest import texts_table, write_pictures


def asked(folder: Path, source: Path) -> dict[str, Any]:
    (folder / "texts.csv").write_text(texts_table())
    return {
        "path": str(folder / "texts.csv"),
        "backbone": "bundled:minilm",
        "strategy": "feature-extraction",
        "settings": {"seed": 0},
        "folder": str(folder),
        "source": str(source),
    }


def test_texts_are_a_source_for_texts(tmp_path: Path) -> None:
    (tmp_path / "source.csv").write_text(texts_table())
    told = fit(asked(tmp_path, tmp_path / "source.csv"), lambda _: None)
    assert told["forgetting"]["source_drift"] == pytest.approx(0, abs=1e-5)


def test_a_source_of_another_kind_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--source"):
        fit(asked(tmp_path, write_pictures(tmp_path / "pictures")), lambda _: None)
    assert not (tmp_path / "model").exists()


def test_what_cannot_be_measured_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    for name, shade in (("dark", 40), ("bright", 220)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (shade, shade, shade)).save(tmp_path / "pictures" / name / "1.png")
    given = {
        **asked(tmp_path, tmp_path),
        "path": str(tmp_path / "pictures"),
        "backbone": "scratch:test_resnet",
        "source": None,
    }
    with pytest.raises(InputError, match="too few samples"):
        fit(given, lambda _: None)
    assert not (tmp_path / "model").exists()
