"""The model card of a pre-trained backbone: what it learnt from, how, how well, and what it is not for."""

import json
from dataclasses import dataclass
from typing import Any

OBJECTIVES = {
    "supervised": "classify pictures",
    "simsiam": "make two views of a picture look alike, without labels",
    "mlm": "tell hidden tokens from both sides",
    "clm": "tell each token from those before it",
}


@dataclass(frozen=True)
class Facts:
    """What a card says besides recipe and figures.

    Attributes:
        name: Of the backbone.
        objective: What was learnt.
        architecture: The network's name.
        library: `timm` or `transformers`.
        parameters: Of the trunk.
        data: Name and size of the data.
        license_of_data: As the caller gave it.
        samples: Seen in training, repetitions counted.
        steps: Of the optimiser.
        reads: What the network takes.
        source: A backbone whose pre-training went on; empty for random weights.
        teacher: Whose outputs were learnt from too; empty for none.
    """

    name: str
    objective: str
    architecture: str
    library: str
    parameters: int
    data: str
    license_of_data: str
    samples: int
    steps: int
    reads: str
    source: str = ""
    teacher: str = ""


def card(facts: Facts, recipe: dict[str, Any], metrics: dict[str, float]) -> str:
    """The card, in Markdown with the hub's front matter.

    Args:
        facts: What it says.
        recipe: Settings, as `recipe.json` has them.
        metrics: Held-out figures after the last step.
    """
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in metrics.items()) or "| none | no held-out data |"
    settings = "\n".join(f"| {name} | {value} |" for name, value in _flat(recipe))
    return f"""---
license: other
license_name: {json.dumps(facts.license_of_data, ensure_ascii=False)}
library_name: {facts.library}
tags: [regraft, {facts.objective}]
---
# {facts.name}

{facts.architecture}, {facts.parameters:,} parameters without its head, pre-trained with `regraft pretrain` to {OBJECTIVES[facts.objective]}.
{_origin(facts)}
It reads {facts.reads}. Use it as `--backbone FOLDER`, or with {facts.library} itself.

## Data

{facts.data}. Seen in training: {facts.samples:,} samples in {facts.steps:,} steps, repetitions counted.

Licence of the data: {facts.license_of_data}. Its terms may bind what is made of these weights.

## Figures

On data that was not learnt from, after the last step:

| figure | value |
| --- | --- |
{figures}

`log.jsonl` tells the whole run: loss, rate and held-out figures by step.

## Recipe

| setting | value |
| --- | --- |
{settings}

`recipe.json` holds the whole call.

## Limits

- It knows what its data show. What is of another kind, size or language is served worse: measure before you rely on it.
- What is one-sided in the data is one-sided in the features.
"""


def _origin(facts: Facts) -> str:
    """Where the weights began, and who helped."""
    said = f"Pre-training went on from {facts.source}.\n" if facts.source else "It began with random weights.\n"
    if facts.teacher:
        said += f"Besides the labels it learnt what {facts.teacher} said of each picture (distillation).\n"
    return said


def _flat(values: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Settings with the names of what they belong to in front."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found
