"""What the task yields with no trunk at all: a linear model of tiny pictures, or of word counts."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from regraft.activations.rows import Floats
from regraft.core import ImageSample, TextSample
from regraft.measuring.probes import Probed, probe
from regraft.measuring.subject import Subject
from regraft.media.pictures import decode_rgb

SIDE = 12  # pixels: 432 numbers a picture
MOST_WORDS = 20_000
FEWEST_WORDS = 2  # directions of fewer cannot be found
DIRECTIONS = 100
WORD_STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # rows of length 1 want less regularisation than standardised features


def raw_probe(subject: Subject) -> Probed:
    """The probe of features that owe nothing to pre-training: pixels at 12 x 12, or tf-idf of words and word pairs.

    Of pairs of texts, and where quantities are to be predicted: how the leading directions of the word counts (latent
    semantic analysis, Deerwester 1990) of the two halves differ and agree.
    """
    if subject.backbone.kind == "image":
        pixels = np.stack([_tiny(sample) for sample in subject.samples if isinstance(sample, ImageSample)])
        return subject.probed(pixels)
    texts = [sample for sample in subject.samples if isinstance(sample, TextSample)]
    if subject.classes and all(text.text_pair is None for text in texts):
        said = [text.text for text in texts]
        return probe(_counts(said).transform(said), subject.targets, subject.classes, subject.folds, WORD_STRENGTHS)
    return subject.probed(_compared(texts))


def _counts(texts: Sequence[str]) -> Any:
    """tf-idf of words and word pairs; of characters where there are hardly any words, as in `A C G T`."""
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=MOST_WORDS)
    with contextlib.suppress(ValueError):  # no word at all
        if len(words.fit(texts).vocabulary_) >= FEWEST_WORDS:
            return words
    return TfidfVectorizer(analyzer="char", sublinear_tf=True, ngram_range=(1, 2), max_features=MOST_WORDS).fit(texts)


def _compared(texts: Sequence[TextSample]) -> Floats:
    first, second = [text.text for text in texts], [text.text_pair or text.text for text in texts]
    counts = _counts(first + second)
    one, other = counts.transform(first), counts.transform(second)
    alike = np.asarray(one.multiply(other).sum(axis=1))  # cosine: rows have length 1
    directions = TruncatedSVD(min(DIRECTIONS, *one.shape), random_state=0).fit(one)
    left, right = directions.transform(one), directions.transform(other)
    found: Floats = np.concatenate([alike, np.abs(left - right), left * right, left], axis=1).astype(np.float32)
    return found


def _tiny(sample: ImageSample) -> Floats:
    picture = Image.fromarray(decode_rgb(sample.read(), shortest=2 * SIDE)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(picture, dtype=np.float32).reshape(-1)
