"""Folders of small networks with random weights."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, GPT2LMHeadModel

from regraft.backbones.bundled import bundled_folder

BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4}


def _text_folder(folder: Path, kind: str = "bert", *, tokenizer: bool = True) -> Path:
    """A small classifier with random weights in `save_pretrained` form."""
    words = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    sizes = GPT2 if kind == "gpt2" else BERT
    config = AutoConfig.for_model(kind, vocab_size=len(words), **sizes)
    build = GPT2LMHeadModel if kind == "gpt2" else AutoModelForSequenceClassification.from_config
    build(config).save_pretrained(folder)
    if tokenizer:
        words.save_pretrained(folder)
    return folder


def _timm_folder(folder: Path, name: str = "test_resnet", classes: int = 3) -> Path:
    """A small network with random weights in timm's `local-dir` form."""
    folder.mkdir(exist_ok=True)
    said = {"classifier": "fc", "num_classes": classes}
    config = {"architecture": name, "num_classes": classes, "pretrained_cfg": said}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(timm.create_model(name, num_classes=classes).state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture
def text_folder() -> Callable[..., Path]:
    """Writes a text classifier, (folder, kind, tokenizer=True)."""
    return _text_folder


@pytest.fixture
def timm_folder() -> Callable[..., Path]:
    """Writes a vision classifier, (folder, name, classes)."""
    return _timm_folder
