"""An engine is used only where its output is that of PyTorch."""

import os
from pathlib import Path

import pytest
import torch

from regraft import demo
from regraft.activations import engine as engines
from regraft.activations.converted import mark_used
from regraft.activations.engine import Prefix, compared, compile_trunk, engine_inputs
from regraft.activations.onnx_engine import onnx_session
from regraft.activations.openvino_engine import openvino_request
from regraft.activations.processor import has_vnni
from regraft.backbones import load_backbone
from regraft.core import TextSample
from regraft.tasks import open_task


def texts(backbone, count: int):
    samples = [TextSample("t", f"some words {'and more ' * (i % 5)}") for i in range(count)]
    return engine_inputs(backbone, [backbone.preprocess(one) for one in samples])


def pictures(count: int):
    rng = torch.Generator().manual_seed(0)
    return (torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=rng),)


@pytest.mark.parametrize("make", [openvino_request, onnx_session])
@pytest.mark.parametrize("name", ["scratch:test_efficientnet", "bundled:minilm"])
def test_engines_equal_pytorch_at_any_batch_size(make, name: str, tmp_path: Path) -> None:
    backbone = load_backbone(name)
    batches = [pictures(n) if backbone.kind == "image" else texts(backbone, n) for n in (4, 1, 7)]
    prefix = Prefix(backbone, len(backbone.outline), "pooled").eval()
    options = ("f32",) if make is openvino_request else ()
    run = make(prefix, batches[0], tmp_path / f"trunk{'.xml' if options else '.onnx'}", *options)
    for batch in batches:
        with torch.inference_mode():
            error, _ = compared(list(prefix(*batch)), run(batch))
        assert error < 1e-4


def test_below_the_break_even_count_pytorch_runs() -> None:
    backbone = load_backbone("scratch:test_resnet")
    assert compile_trunk(backbone, 5, "pooled", "key", pictures(2), 10).name == "torch-fp32"


def test_above_it_an_engine_runs_and_says_how_equal_it_is() -> None:
    backbone = load_backbone("scratch:test_resnet")
    engine = compile_trunk(backbone, 5, "pooled", "key", pictures(8), 10_000, precision="fp32")
    assert engine.name == "openvino-fp32"
    assert engine.relative_error < 1e-4


def test_an_engine_that_is_not_equal_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SMALLEST_COSINE", {"bf16": 1.1, "int8": 1.1})
    monkeypatch.setattr(engines, "FP32_ERROR", 0.0)
    backbone = load_backbone("scratch:test_resnet")
    for precision in ("fp32", "bf16", "int8"):
        engine = compile_trunk(backbone, 5, "pooled", "unequal", pictures(4), 10_000, precision=precision)
        assert engine.name == "torch-fp32"


@pytest.mark.skipif(not has_vnni(), reason="this processor does not multiply 8-bit integers")
def test_integers_run_dense_layers_and_the_guard_says_how_near_they_are() -> None:
    backbone = load_backbone("bundled:minilm")
    messages = open_task(Path(demo.__file__).parent / "intents").train.samples[:16]
    inputs = engine_inputs(backbone, [backbone.preprocess(one) for one in messages])
    engine = compile_trunk(backbone, 7, "pooled", "integers", inputs, 10_000, precision="int8")
    assert engine.name == "openvino-int8"
    assert 0.995 <= engine.cosine < 0.99999


def test_an_engine_is_compiled_once_in_a_process() -> None:
    backbone = load_backbone("scratch:test_resnet")
    first = compile_trunk(backbone, 5, "pooled", "once", pictures(4), 10_000, precision="fp32")
    assert compile_trunk(backbone, 5, "pooled", "once", pictures(2), 10_000, precision="fp32") is first


def test_the_matmul_setting_is_put_back() -> None:
    before = torch.backends.mkldnn.matmul.fp32_precision
    with engines.fast_matmul():
        pass
    assert torch.backends.mkldnn.matmul.fp32_precision == before


def float32_of_cuda() -> list[str]:
    return [one.fp32_precision for one in (torch.backends.cudnn.conv, torch.backends.cudnn.rnn)]


def test_float32_is_no_tf32_on_cuda_and_the_setting_is_put_back() -> None:
    before, seen = float32_of_cuda(), []
    backbone = load_backbone("scratch:test_resnet")
    backbone.module.conv1.register_forward_hook(lambda *_: seen.append(float32_of_cuda()))
    compile_trunk(backbone, 5, "pooled", "key", pictures(2), 2).run(pictures(2))
    assert seen == [["ieee", "ieee"]]
    assert float32_of_cuda() == before
    assert torch.backends.cudnn.allow_tf32  # the older name can still be read


def test_a_trunk_that_no_engine_takes_is_not_another_trunk_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_candidates", lambda *_: ())
    monkeypatch.setattr(engines, "BREAK_EVEN", {"image": 0})
    batch, trunks = pictures(2), [load_backbone("scratch:test_resnet") for _ in range(2)]
    before = compile_trunk(trunks[0], 5, "pooled", "same weights", batch, 10).run(batch)
    with torch.no_grad():  # the first is trained
        for parameter in trunks[0].module.parameters():
            parameter.mul_(0.5)
    after = compile_trunk(trunks[1], 5, "pooled", "same weights", batch, 10).run(batch)
    assert torch.equal(before[-1], after[-1])


def test_converted_trunks_keep_to_a_budget_and_the_oldest_go_first(tmp_path: Path) -> None:
    for age, name in enumerate(("c", "b", "a")):
        for suffix in (".xml", ".bin"):
            (tmp_path / f"{name}{suffix}").write_bytes(bytes(100))
            os.utime(tmp_path / f"{name}{suffix}", (1000 - age, 1000 - age))
    mark_used(tmp_path / "a.xml", budget=450)
    assert {file.stem for file in tmp_path.iterdir()} == {"a", "c"}
