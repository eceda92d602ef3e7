"""The demo's data are what its card says, and transfer is worth it on them."""

from collections import Counter

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from regraft.demo import intents_folder
from regraft.tasks import inspect_data


def test_the_data_are_clean_and_balanced() -> None:
    found = inspect_data(intents_folder())
    assert found.problems == ()
    assert found.splits == {"train": 128, "validation": 32, "test": 96}
    assert all(set(Counter(counts).values()) for counts in found.counts.values())
    assert set(found.counts["test"].values()) == {12}


def test_they_are_not_solved_by_counting_words() -> None:
    task = inspect_data(intents_folder()).task
    texts = {name: [one.text for one in split.samples] for name, split in task.splits.items()}
    counting = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(texts["train"], task.train.targets)
    assert counting.score(texts["test"], task.splits["test"].targets) < 0.6
