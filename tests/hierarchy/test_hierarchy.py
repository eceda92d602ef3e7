"""The hierarchy made visible: what is shown is what the network computes."""

from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from regraft.backbones.contract import Backbone
from regraft.backbones.timm_source import build_timm
from regraft.core import BackboneError, OptionError, Passport, Task
from regraft.demo import intents_folder
from regraft.hierarchy import filters_png, first_filters, patches_png, probe, strongest_patches
from regraft.hierarchy.maxima import stage_maxima
from regraft.hierarchy.patches import chosen_channels, f_ratios
from regraft.hierarchy.receptive import receptive_field
from regraft.tasks import few_shot, open_task

from ..measuring.conftest import digits_folder, small_vision


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return open_task(digits_folder(tmp_path_factory.mktemp("data") / "digits", 45))


def test_filters_are_the_weights_of_the_first_layer() -> None:
    backbone = small_vision()
    found = first_filters(backbone)
    assert found is not None
    weights = dict(backbone.module.named_modules())[found.layer].weight[0].detach().numpy().transpose(1, 2, 0)
    shown = found.pictures[0] / 127.5 - 1
    np.testing.assert_allclose(shown, weights / np.abs(weights).max(), atol=0.01)
    assert Image.open(BytesIO(filters_png(found))).mode == "RGB"


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_efficientnet", "test_convnext"])
def test_filters_and_patches_are_found_in_every_family(name: str, pictures: Task) -> None:
    size = 160 if name == "test_vit" else 64
    model = timm.create_model(name, pretrained_cfg_overlay={"input_size": (3, size, size)})
    backbone = build_timm(model, name, {}, Passport(name, f"scratch:{name}"))
    assert first_filters(backbone) is not None
    found = strongest_patches(backbone, pictures.train.samples[:8], pictures.train.targets[:8], channels=2, patches=3)
    assert found
    assert all(len(channel.patches) == 3 for stage in found for channel in stage.channels)


def test_a_patch_is_where_the_channel_is_strongest(pictures: Task) -> None:
    backbone, samples = small_vision(), pictures.train.samples[:6]
    (found,) = strongest_patches(backbone, samples, pictures.train.targets[:6], stages=[1], channels=[0], patches=1)
    patch = found.channels[0].patches[0]
    with torch.inference_mode():
        inputs = [backbone.preprocess(sample) for sample in samples]
        maps = backbone.run(backbone.collate(inputs), 0, 2)[0][:, 0]
    assert patch.activation == pytest.approx(float(maps.max()), rel=1e-3)
    assert patch.sample == int(maps.flatten(1).max(dim=1).values.argmax())
    left, top, right, bottom = patch.box
    np.testing.assert_array_equal(patch.pixels, inputs[patch.sample].permute(1, 2, 0).numpy()[top:bottom, left:right])


def test_what_one_position_looks_at_grows_with_depth(pictures: Task) -> None:
    backbone: Backbone = small_vision()
    fields = [receptive_field(backbone, pictures.train.samples, stage) for stage in range(len(backbone.outline))]
    assert fields[0] < fields[-1] <= 64


def test_channels_are_chosen_by_how_they_tell_classes_apart() -> None:
    labels = np.repeat([0, 1, 2], 20)
    values = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    values[:, 3] += 9 * (labels == 1)
    values[:, 1] += 6 * (labels == 2)
    values[:, 0] += 7 * (labels == 1)
    values[:, 4] = 0.0
    ratios = f_ratios(values, labels)
    assert chosen_channels(values, labels, ratios, 2) == [3, 1]
    assert ratios[4] == 0


def test_pictures_of_a_text_trunk_are_refused(pictures: Task) -> None:
    from regraft.backbones import load_backbone

    with pytest.raises(BackboneError, match="reads text"):
        stage_maxima(load_backbone("bundled:minilm"), pictures.train.samples)


class Links(HTMLParser):
    """Everything a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.fetched += [
            values[key] or "" for key in ("src", "href") if values.get(key) and tag in {"img", "link", "script"}
        ]


def test_the_report_of_pictures_needs_nothing_else(pictures: Task, tmp_path: Path) -> None:
    found = probe(pictures, small_vision(), out=tmp_path / "out", pictures=8)
    assert found.report is not None
    links = Links()
    text = found.report.read_text()
    links.feed(text)
    assert all(link.startswith("data:image/png") for link in links.fetched)
    assert len(links.fetched) > len(found.stages)
    assert all(stage.name in text for stage in found.stages)
    told = found.to_json()["stages"]
    keys = {"name", "probe_accuracy", "low", "high", "transferability", "similarity_to_last"}
    assert all(keys <= set(stage) for stage in told)
    assert found.cka.shape == (len(told), len(told))
    assert f"{found.best.probe_accuracy:.3f}" in found._repr_html_()
    assert Image.open(BytesIO(patches_png(found.patches[0].channels[0]))).height > 0


def test_texts_are_shown_layer_by_layer(tmp_path: Path) -> None:
    task = few_shot(open_task(intents_folder()), 6, seed=0)
    found = probe(task, "bundled:minilm", out=tmp_path)
    anchor = found.anchors[0]
    assert len(anchor.falls) == len(anchor.neighbours) == len(found.stages)
    assert all(len(falls) == len(anchor.words) for falls in anchor.falls)
    assert all(near.text != anchor.text for near in anchor.neighbours)
    assert found.best.probe_accuracy == max(stage.probe_accuracy for stage in found.stages)


def test_a_kind_that_has_no_probe_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "tags.conll").write_text("".join(f"word{n}\tO\nParis\tB-place\n\n" for n in range(30)))
    with pytest.raises(OptionError, match="token-classification"):
        probe(open_task(tmp_path / "tags.conll"), "bundled:minilm", out=tmp_path / "out")


def test_a_class_of_one_text_is_no_anchor(tmp_path: Path) -> None:
    rows = [
        ("weather is fine today", "a"),
        ("a warm day", "a"),
        ("rain again", "a"),
        ("sun at noon", "a"),
        ("fog", "a"),
    ]
    rows += [("my parcel is late", "b"), ("where is my order", "b"), ("it has not come", "b"), ("thank you", "c")]
    parts = {"train": rows, "validation": [("no parcel yet", "b")], "test": [("nothing was sent", "b")]}
    for split, part in parts.items():
        table = "".join(f"{text},{label}\n" for text, label in part)
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{table}")
    found = probe(open_task(tmp_path), "bundled:minilm")
    assert {found.classes[one.label] for one in found.anchors} == {"a", "b"}
