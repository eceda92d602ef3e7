"""What every backbone must satisfy, on one network of each kind with random weights."""

import pytest
import timm
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from regraft.backbones import reinitialised
from regraft.backbones.bundled import bundled_folder
from regraft.backbones.contract import Backbone, State, features, stage_parameters
from regraft.backbones.timm_source import build_timm
from regraft.backbones.transformers_source import build_text
from regraft.core import Passport

VISION = (
    "resnet18",
    "vgg11",
    "mobilenetv1_100",
    "mobilenetv2_050",
    "mobilenetv3_small_050",
    "efficientnet_b0",
    "convnext_atto",
    "test_vit",
    "test_resnet",
    "test_efficientnet",
    "test_convnext",
    "deit_tiny_patch16_224",
)
TEXT = ("bert", "distilbert", "roberta", "electra", "gpt2")
SIZE = {"deit_tiny_patch16_224": 224, "test_vit": 160, "vgg11": 224}


def small_text(kind: str) -> Backbone:
    tokenizer = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
    if kind == "distilbert":
        sizes = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}
    if kind == "gpt2":
        sizes = {"n_embd": 32, "n_layer": 3, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(config, attn_implementation="sdpa")
    return build_text(model, tokenizer, Passport(kind, f"scratch:{kind}"))


def vision(name: str) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_timm(timm.create_model(name), name, {}, Passport(name, f"scratch:{name}"))


@pytest.fixture(scope="module", params=[*VISION, *TEXT])
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return small_text(request.param) if request.param in TEXT else vision(request.param)


def batch(backbone: Backbone, name: str = "") -> State:
    rng = torch.Generator().manual_seed(0)
    if backbone.kind == "image":
        size = SIZE.get(backbone.outline.name, 64)
        return (torch.randn(2, 3, size, size, generator=rng),)
    ids = torch.randint(5, 1000, (2, 12), generator=rng)
    mask = torch.ones(2, 12, dtype=torch.long)
    mask[1, 7:] = 0
    return ids, mask, torch.zeros_like(ids)


def test_a_split_pass_equals_the_whole_pass_bit_for_bit(backbone: Backbone) -> None:
    stages = len(backbone.outline)
    with torch.inference_mode():
        whole = backbone.run(batch(backbone), 0, stages)
        for cut in range(1, stages):
            parts = backbone.run(backbone.run(batch(backbone), 0, cut), cut, stages)
            assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True)), cut


def test_every_parameter_lies_in_exactly_one_stage(backbone: Backbone) -> None:
    owned = [name for stage in range(len(backbone.outline)) for name in stage_parameters(backbone, stage)]
    assert sorted(owned) == sorted(name for name, _ in backbone.module.named_parameters())
    assert backbone.outline.parameters == sum(one.numel() for one in backbone.module.parameters())


def test_pooled_features_have_the_promised_widths(backbone: Backbone) -> None:
    with torch.inference_mode():
        pooled = features(backbone, batch(backbone))
    assert [one.shape for one in pooled] == [(2, stage.width) for stage in backbone.outline]


def test_features_do_not_depend_on_the_rest_of_the_batch(backbone: Backbone) -> None:
    state = batch(backbone)
    with torch.inference_mode():
        together = features(backbone, state)[-1][:1]
        alone = features(backbone, tuple(one[:1] for one in state))[-1]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_last_features_equal_the_librarys_own(backbone: Backbone) -> None:
    state, module = batch(backbone), backbone.module
    with torch.inference_mode():
        ours = features(backbone, state)[-1]
        if backbone.kind == "image":
            theirs = module.forward_head(module.forward_features(*state), pre_logits=True)
        else:
            ids, mask, _ = state
            hidden = module(input_ids=ids, attention_mask=mask).last_hidden_state
            if backbone.outline.family == "gpt2":
                theirs = hidden[torch.arange(2), mask.sum(1) - 1]
            else:
                theirs = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_new_weights_depend_on_the_seed_alone(backbone: Backbone) -> None:
    before = torch.random.get_rng_state()
    first, second, other = (reinitialised(backbone, seed).module.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("kind", TEXT)
def test_earlier_stages_are_means_of_transformers_hidden_states(kind: str) -> None:
    """Of a causal trunk too: before its last stage the last token knows little of the text."""
    backbone = small_text(kind)
    ids, mask, types = batch(backbone)
    with torch.inference_mode():
        ours = features(backbone, (ids, mask, types))[:-1]
        theirs = backbone.module(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    for mine, hidden in zip(ours, theirs, strict=False):
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        torch.testing.assert_close(mine, mean, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", TEXT)
def test_padding_does_not_change_a_text(kind: str) -> None:
    backbone = small_text(kind)
    ids, mask, types = batch(backbone)
    with torch.inference_mode():
        padded = features(backbone, (ids[1:], mask[1:], types[1:]))[-1]
        short = features(backbone, (ids[1:, :7], mask[1:, :7], types[1:, :7]))[-1]
    torch.testing.assert_close(padded, short, rtol=1e-4, atol=1e-5)
