"""The model card of a pre-trained backbone: what it learnt from, how, how well, and what it is not for."""

from typing import Any

OBJECTIVES = {
    "supervised": "classify pictures",
    "simsiam": "make two views of a picture look alike, without labels",
    "mlm": "tell hidden tokens from both sides",
    "clm": "tell each token from those before it",
}


def card(facts: dict[str, Any], recipe: dict[str, Any], metrics: dict[str, float]) -> str:
    """The card, in Markdown with the hub's front matter.

    Args:
        facts: `name, objective, architecture, parameters, data, samples_in_data, samples, license, source_license,
            library, teacher, source, seconds, input`.
        recipe: As `recipe.json` has it.
        metrics: Held-out figures after the last step.
    """
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in metrics.items())
    settings = "\n".join(f"| {name} | {value} |" for name, value in _flat(recipe))
    return f"""---
license: {facts["license"]}
library_name: {facts["library"]}
tags: [regraft, pre-training, {facts["objective"]}]
---
# {facts["name"]}

A {facts["architecture"]} with {facts["parameters"]:,} parameters in its trunk, pre-trained with `regraft pretrain` to {OBJECTIVES[facts["objective"]]}.
{_origin(facts)}
## Data

{facts["data"]}: {facts["samples_in_data"]:,} samples, {facts["samples"]:,} seen in training (repetitions counted).
Licence of the data: {facts["source_license"]}. Their terms may bind what is made with these weights.

## Figures

On held-out data, after the last step:

| figure | value |
| --- | --- |
{rows or "| none: no held-out data | |"}

`log.jsonl` has the whole run: loss, rate and held-out figures, step by step.

## Recipe

| setting | value |
| --- | --- |
{settings}

The same call is in `recipe.json`.

## Limits

- It knows only what its data show; pictures or texts of another kind, size or language are served worse.
- Whatever is one-sided in the data is one-sided in the features.
- {facts["input"]}
"""


def _origin(facts: dict[str, Any]) -> str:
    """Where the weights began, and who helped."""
    said = ""
    if facts.get("source"):
        said += f"Pre-training went on from {facts['source']}.\n"
    if facts.get("teacher"):
        said += f"It learnt from the labels and from what {facts['teacher']} said of each picture (distillation).\n"
    return said


def _flat(values: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Settings with the names of what they belong to in front."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found
