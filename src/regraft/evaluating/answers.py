"""Metrics of answers to questions, as the evaluation of SQuAD defines them (Rajpurkar 2016 and 2018)."""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from regraft.evaluating.bootstrap import Ints, bootstrap
from regraft.evaluating.metrics import Evaluation

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def evaluate_answers(
    golds: Sequence[Sequence[str]], predicted: Sequence[str], *, seed: int = 0, together: Sequence[int] = ()
) -> Evaluation:
    """Exact match and F1 over words, the best over all gold answers of a question.

    Args:
        golds: The right answers of each question; none = it has no answer, and "" is right.
        predicted: One answer for each.
        seed: Of the bootstrap over questions.
        together: A number for each question, shared by those of one passage: passages are resampled then.

    Returns:
        `exact_match` and `f1` as shares (the official script prints them times 100); where some questions have no
        answer also `answerable_f1` and `no_answer_accuracy`.
    """
    pairs = [(gold or [""], guess) for gold, guess in zip(golds, predicted, strict=True)]
    scores = np.array(
        [
            (max(exact_match(one, guess) for one in gold), max(word_f1(one, guess) for one in gold))
            for gold, guess in pairs
        ]
    )
    unanswerable = np.array([not gold for gold in golds])

    def metrics(rows: Ints) -> dict[str, float]:
        exact, f1 = scores[rows].mean(axis=0).tolist()
        found = {"exact_match": exact, "f1": f1}
        if unanswerable.any():
            empty = unanswerable[rows]
            found["answerable_f1"] = float(scores[rows][~empty, 1].mean()) if (~empty).any() else float("nan")
            found["no_answer_accuracy"] = float(scores[rows][empty, 0].mean()) if empty.any() else float("nan")
        return found

    return Evaluation.of(bootstrap(len(scores), metrics, seed=seed, together=together), len(scores))


def exact_match(gold: str, guess: str) -> float:
    """1.0 if both are the same words, else 0.0."""
    return float(_words(gold) == _words(guess))


def word_f1(gold: str, guess: str) -> float:
    """Harmonic mean of precision and recall over the multisets of words."""
    true, guessed = _words(gold), _words(guess)
    if not true or not guessed:  # an answer that is not there is right as a whole or not at all
        return float(true == guessed)
    common = sum((Counter(true) & Counter(guessed)).values())
    return 2 * common / (len(true) + len(guessed))


def _words(text: str) -> list[str]:
    """Lower case, without ASCII punctuation, without articles, cut at white space; in this order."""
    return re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(_PUNCTUATION)).split()
