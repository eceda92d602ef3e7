"""Samples that are the same or nearly so, gathered in groups that no split may cut."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from regraft.core import TextSample
from regraft.tasks.reading import Record

# Bits of 256 that may differ between two codings of one picture; found again by sixteen bands of 16
# bits, of which at least one is equal while fewer than sixteen bits differ.
MOST_BITS = 12
BANDS = 16
MOST_SHADE = 6  # difference of a channel's mean, of 255
MOST_IN_BAND = 200  # a band shared by more is a plain background, not a sign of twins


def groups_of(records: Sequence[Record], hashes: Mapping[str, NDArray[np.uint8]]) -> list[int]:
    """A group number per record; twins share theirs, and it is the position of the first of them."""
    return _joined(len(records), _twins(records, hashes))


def joined(groups: Sequence[int], names: Sequence[str]) -> list[int]:
    """Groups of which those with a name in common are one; each is the position of its first member."""
    first: dict[str, int] = {}
    named = ((first.setdefault(name, position), position) for position, name in enumerate(names) if name)
    return _joined(len(groups), [*((group, position) for position, group in enumerate(groups)), *named])


def _joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The first member of each position's group, where the two of a pair are of one group."""
    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parents[high] = low
    return [root(index) for index in range(count)]


def _twins(records: Sequence[Record], hashes: Mapping[str, NDArray[np.uint8]]) -> Iterable[tuple[int, int]]:
    """Pairs of positions that hold the same sample, each position joined to an earlier one."""
    seen: dict[str, int] = {}
    for index, record in enumerate(records):
        for key in _keys(record):
            if key in seen:
                yield seen[key], index
            else:
                seen[key] = index
    distinct = {record.sample.digest: index for index, record in reversed(list(enumerate(records)))}
    known = [digest for digest in distinct if digest in hashes]
    if known:
        pairs = _near_pairs(np.stack([hashes[digest] for digest in known]))
        yield from ((distinct[known[i]], distinct[known[j]]) for i, j in pairs)


def _keys(record: Record) -> tuple[str, ...]:
    """What equal samples share: the digest, and for texts the words without case, spaces and stops."""
    sample = record.sample
    if not isinstance(sample, TextSample):
        return (sample.digest,)
    words = re.sub(r"[\s.,!?;:'\"]+", " ", f"{sample.text} \x1e {sample.text_pair or ''}".casefold()).strip()
    return (sample.digest, f"words:{words}") if words else (sample.digest,)


def _near_pairs(hashes: NDArray[np.uint8]) -> Iterable[tuple[int, int]]:
    """Pairs of rows whose bits and mean colours differ by little."""
    bits, shades = hashes[:, :-3], hashes[:, -3:].astype(int)
    width = bits.shape[1] // BANDS
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for index, row in enumerate(bits[:, band * width : (band + 1) * width]):
            buckets[row.tobytes()].append(index)
        for members in buckets.values():
            if 1 < len(members) <= MOST_IN_BAND:
                yield from _close(members, bits, shades)


def _close(members: list[int], bits: NDArray[np.uint8], shades: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    for position, first in enumerate(members):
        rest = np.array(members[position + 1 :], dtype=int)
        differing = np.bitwise_count(bits[rest] ^ bits[first]).sum(axis=1)
        alike = (differing <= MOST_BITS) & (np.abs(shades[rest] - shades[first]).max(axis=1, initial=0) <= MOST_SHADE)
        yield from ((first, int(second)) for second in rest[alike])
