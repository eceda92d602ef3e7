"""What is wrong with labels and with samples that occur twice."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Sequence

from regraft.tasks.reading import Findings, Reading, Record

IMBALANCE = 10  # largest class over smallest
ALIKE = 0.84  # difflib ratio above which two class names look like one misspelt


def drop_contradictions(reading: Reading) -> None:
    """Leave out samples that stand under two labels: no model can learn both.

    Quantities of one text may differ, and one question may have several answers.
    """
    if reading.kind in {"text-regression", "question-answering"}:
        return
    labels: dict[str, set[str]] = defaultdict(set)
    for record in reading.records:
        labels[record.sample.digest].add(record.label or " ".join(record.target))
    kept = []
    for record in reading.records:
        if len(labels[record.sample.digest]) == 1:
            kept.append(record)
        else:
            names = ", ".join(sorted(labels[record.sample.digest]))
            message = "the same sample under different labels; left out, decide on one"
            reading.findings.add("error", "contradictory-labels", message, f"{record.sample.source} ({names})")
    reading.records = kept


def drop_leakage(records: Sequence[Record], groups: Sequence[int], findings: Findings) -> list[int]:
    """Positions to keep: a training sample whose twin is held out is left out of training.

    Validation samples whose twin is in the test part are left out too.
    """
    held: dict[str, set[int]] = defaultdict(set)
    for record, group in zip(records, groups, strict=True):
        held[record.split].add(group)
    later = {"train": held["validation"] | held["test"], "validation": held["test"]}
    kept = []
    for position, (record, group) in enumerate(zip(records, groups, strict=True)):
        if group in later.get(record.split, ()):
            message = "samples that stand, the same or nearly, in a later split too; left out of the earlier one"
            findings.add("error", "leakage", message, record.sample.source)
        else:
            kept.append(position)
    return kept


def drop_parted_groups(records: Sequence[Record], findings: Findings) -> list[int]:
    """Positions to keep: of a group that stands in several of the data's own splits, the part in the latest."""
    order = {"": 0, "train": 0, "validation": 1, "test": 2}
    latest: dict[str, int] = {}
    for record in records:
        if record.group:
            latest[record.group] = max(latest.get(record.group, 0), order[record.split])
    kept = []
    for position, record in enumerate(records):
        if record.group and order[record.split] < latest[record.group]:
            message = "samples whose group stands in a later split too; left out of the earlier one"
            findings.add("error", "parted-group", message, f"{record.sample.source} ({record.group})")
        else:
            kept.append(position)
    return kept


def check_duplicates(records: Sequence[Record], groups: Sequence[int], findings: Findings) -> None:
    """Note samples that occur more than once; they stay together in one split."""
    for position, (record, group) in enumerate(zip(records, groups, strict=True)):
        if group == position:
            continue
        first = records[group]
        exact = first.sample.digest == record.sample.digest
        findings.add(
            "warning",
            "duplicate" if exact else "near-duplicate",
            f"{'the same' if exact else 'nearly the same'} sample more than once; kept in one split",
            f"{record.sample.source} = {first.sample.source}",
        )


def check_labels(records: Sequence[Record], findings: Findings) -> None:
    """Note one class only, single samples, imbalance and names that look misspelt."""
    counts = Counter(record.label for record in records)
    if len(counts) == 1:
        findings.add(
            "error",
            "one-class",
            "only one class: there is nothing to tell apart, give samples of a second one",
            *counts,
        )
    for label, count in counts.items():
        if count == 1:
            message = "classes with a single sample: it can be learnt from or tested on, not both; add samples"
            findings.add("warning", "single-sample-class", message, label)
    if len(counts) > 1 and max(counts.values()) >= IMBALANCE * min(counts.values()):
        largest, smallest = counts.most_common()[0], counts.most_common()[-1]
        message = f"the largest class has {largest[1] / smallest[1]:.0f} times the samples of the smallest"
        findings.add("warning", "imbalance", f"{message}; watch macro-F1, not accuracy", largest[0], smallest[0])
    _check_spelling(counts, findings)


def _check_spelling(counts: Counter[str], findings: Findings) -> None:
    """Names that differ in case and space alone, or a rare name that is close to a frequent one."""
    names = sorted(counts)
    message = "class names that look like one name misspelt; correct the rarer if so"
    for position, name in enumerate(names):
        for other in names[position + 1 :]:
            rare, usual = sorted((name, other), key=lambda one: counts[one])
            same = "".join(name.casefold().split()) == "".join(other.casefold().split())
            # Digits tell classes apart ("class 1", "class 2"): such names are not misspelt.
            plain = not any(letter.isdigit() for letter in name + other)
            close = plain and difflib.SequenceMatcher(None, name, other).ratio() >= ALIKE
            if same or (close and counts[rare] * IMBALANCE <= counts[usual]):
                findings.add(
                    "warning", "misspelt-label", message, f"{rare} ({counts[rare]}) ~ {usual} ({counts[usual]})"
                )
