"""Metrics of tagged words: entities by exact span and type (Tjong Kim Sang 2003), and single tags."""

from collections.abc import Sequence

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities

from regraft.evaluating.bootstrap import Ints, bootstrap
from regraft.evaluating.metrics import Evaluation

Tags = Sequence[Sequence[str]]


def evaluate_tags(
    targets: Tags, predicted: Tags, classes: Sequence[str], *, seed: int = 0, together: Sequence[int] = ()
) -> Evaluation:
    """Entity F1, precision and recall over all types together, and the accuracy of single tags.

    Args:
        targets: The true tags of each sentence.
        predicted: As many for each.
        classes: Tags in the order of the confusion.
        seed: Of the bootstrap over sentences.
        together: A number for each sentence, shared by those that belong together: groups are resampled then.

    Returns:
        `entity_f1`, `entity_precision`, `entity_recall` where tags mark entities (as seqeval counts them), and
        `accuracy`.
    """
    marked = any(tag.startswith(("B-", "I-")) for tag in classes)
    counts = np.array([_counts(truth, guess) for truth, guess in zip(targets, predicted, strict=True)])

    def metrics(rows: Ints) -> dict[str, float]:
        hits, true, guessed, right, words = counts[rows].sum(axis=0).tolist()
        accuracy = {"accuracy": right / max(words, 1)}
        if not marked:
            return accuracy
        return {
            "entity_f1": 2 * hits / max(true + guessed, 1),
            "entity_precision": hits / max(guessed, 1),
            "entity_recall": hits / max(true, 1),
            **accuracy,
        }

    index = {tag: number for number, tag in enumerate(classes)}
    confusion = np.zeros((len(classes), len(classes)), dtype=int)
    for truth, guess in zip(targets, predicted, strict=True):
        for one, other in zip(truth, guess, strict=True):
            confusion[index[one], index[other]] += 1
    found = bootstrap(len(counts), metrics, seed=seed, together=together)
    return Evaluation.of(found, len(counts), confusion.tolist())


def _counts(truth: Sequence[str], guess: Sequence[str]) -> tuple[int, int, int, int, int]:
    """Entities in both, true ones, predicted ones; words tagged right, words."""
    true, guessed = set(get_entities(list(truth))), set(get_entities(list(guess)))
    right = sum(one == other for one, other in zip(truth, guess, strict=True))
    return len(true & guessed), len(true), len(guessed), right, len(truth)
