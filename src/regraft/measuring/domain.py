"""One number for how far a task is from what a backbone was pre-trained on: 0 near, 1 far.

Each measure of similarity is placed between what it says of near and of far tasks, and the places are averaged. Ends and
errors are those of `benchmarks/similarity.py --calibrate`: 12 tasks of pictures on a MobileNetV2 of ImageNet, 12 of texts
on MiniLM, their domains known from their descriptions. Two measures of pictures err in different tasks (small pictures
confuse the one, simple drawings the other), which is why both are taken where both can be had.

The ends hold for what they were found on alone. The same network sees pictures of 96 pixels with another confidence (0.82
for drawn letters, above any photograph), `bundled:resnet-small` is surer of blood cells than of flowers and takes steel
for near by its Frechet distance, and another vocabulary cuts every text into more pieces. There is no distance for these.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Literal

from regraft.backbones.contract import Backbone
from regraft.core import Measurement

Reads = Literal["image", "text"]

# Measure: (median on near tasks, median on far tasks).
ENDS: dict[Reads, dict[str, tuple[float, float]]] = {
    "image": {"confidence": (0.462, 0.254), "frechet": (1.29, 2.243)},
    "text": {"fragmentation": (1.085, 1.563)},
}
# How far a task that was left out of the calibration is placed from its domain (0, 0.5, 1), by how many measures there
# are: root mean square.
ERRORS = {1: 0.37, 2: 0.22}
# What the ends were found on: weights at a picture size, and a vocabulary (of BERT's uncased models, MiniLM's too).
WEIGHTS, SIZE = "0095aaa0b5e882ee4edef8e40b6cc7a0ce9c0bfd2c93b4aaac0369d37072971d", (224, 224)
VOCABULARY = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"  # sha256 of its words, one a line
NEAR, FAR = 1 / 3, 2 / 3
Z80 = 1.2816


def calibrated(backbone: Backbone) -> bool:
    """Whether the ends were found on this backbone: its weights at its picture size, or its vocabulary."""
    if backbone.kind == "image":
        return backbone.passport.sha256 == WEIGHTS and tuple(backbone.passport.input_size) == SIZE
    preprocess: Any = backbone.preprocess
    numbers = preprocess.tokenizer.get_vocab()
    words = "".join(f"{word}\n" for word in sorted(numbers, key=numbers.__getitem__))
    return hashlib.sha256(words.encode()).hexdigest() == VOCABULARY


def domain_distance(measured: Mapping[str, Measurement], reads: Reads) -> Measurement | None:
    """`similarity/distance` from the other measures of similarity; None where none of them has ends.

    Its interval is the error of the calibration: what the samples leave open is small beside it.

    Args:
        measured: By their names without `similarity/`.
        reads: What the backbone reads.
    """
    known = {name for name, one in measured.items() if not math.isnan(one.value)}
    ends = {name: end for name, end in ENDS[reads].items() if name in known}
    if not ends:
        return None
    value = sum(placed(measured[name].value, *end) for name, end in ends.items()) / len(ends)
    half = Z80 * ERRORS[len(ends)]
    said = "near" if value < NEAR else "far" if value > FAR else "middling"
    names = ", ".join(f"{name} {measured[name].value:.2f}" for name in ends)
    return Measurement(
        "similarity/distance", value, max(value - half, 0.0), min(value + half, 1.0), source=f"{said}, by {names}"
    )


def placed(value: float, near: float, far: float) -> float:
    """Where a value lies between the ends, 0-1."""
    return min(max((value - near) / (far - near), 0.0), 1.0)
