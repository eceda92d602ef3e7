"""Seeded, stratified splits that keep groups of twins together."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from regraft.tasks.reading import Record


def own_splits(records: Sequence[Record]) -> list[Record]:
    """The records with the splits that the data name: what stands beside a named part is there to learn from.

    Data that name no split keep none: they are divided, or measured as a whole.
    """
    if not any(record.split for record in records):
        return list(records)
    return [replace(record, split=record.split or "train") for record in records]


def held_out(
    labels: Sequence[str],
    groups: Sequence[int],
    share: float,
    seed: int,
    classes: Sequence[Sequence[str]] | None = None,
) -> set[int]:
    """Positions to hold out: about `share` of each class, whole groups, never all of a class.

    Args:
        labels: Of each sample, what is to be on both sides in like shares.
        groups: The group of each sample; a group goes to one side as a whole.
        share: Share of each label, 0-1.
        seed: Of the shuffle.
        classes: The classes of each sample, such as those of a sentence's tags; None = its label.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    by_class: dict[str, list[int]] = defaultdict(list)
    for group, positions in members.items():
        by_class[Counter(labels[i] for i in positions).most_common(1)[0][0]].append(group)
    held: set[int] = set()
    for label in sorted(by_class):
        held |= _held_of_class(by_class[label], members, share, random.Random(f"{seed}/{label}"))  # noqa: S311 - no secret
    return held - _last_of_a_class(
        held, [(label,) for label in labels] if classes is None else classes, groups, members
    )


def _last_of_a_class(
    held: set[int], classes: Sequence[Sequence[str]], groups: Sequence[int], members: dict[int, list[int]]
) -> set[int]:
    """Of the positions that would be held out, those that must stay, so that each of their classes can be learnt.

    A sentence has tags of several classes and a group has samples of several, so that labels cannot see to it.
    """
    learnt = {one for position in range(len(classes)) if position not in held for one in classes[position]}
    kept: set[int] = set()
    for position in sorted(held):
        if set(classes[position]) - learnt:
            party = members[groups[position]]
            learnt |= {one for other in party for one in classes[other]}
            kept.update(party)
    return kept


def _held_of_class(groups: list[int], members: dict[int, list[int]], share: float, rng: random.Random) -> set[int]:
    size = sum(len(members[group]) for group in groups)
    wanted = max(round(share * size), 1) if len(groups) > 1 else 0
    held: set[int] = set()
    # The last group always stays, so that every class can be learnt.
    for group in rng.sample(groups, len(groups))[:-1]:
        if len(held) + len(members[group]) <= wanted:
            held.update(members[group])
    return held
