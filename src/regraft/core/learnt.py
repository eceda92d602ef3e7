"""What a model remembers of the data that it learnt from."""

from dataclasses import dataclass
from typing import Any

from regraft.core.task import Sample, Task

DIGITS = 16  # of a digest that are kept: 64 bits tell a million samples apart


@dataclass(frozen=True)
class Learnt:
    """Enough to be measured on nothing that was learnt from.

    Attributes:
        fingerprint: The task's.
        seed: Of the split, where the data had none.
        group_column: The column whose groups the split kept together; empty = none.
        samples: The first `DIGITS` digits of the digest of each sample of the training and validation part: by the
            one the weights were found, by the other they were chosen.
    """

    fingerprint: str
    seed: int
    group_column: str
    samples: frozenset[str]

    @classmethod
    def of(cls, task: Task) -> "Learnt":
        """What a model fitted on a task must remember."""
        parts = (task.splits[name] for name in ("train", "validation") if name in task.splits)
        samples = frozenset(_key(one) for part in parts for one in part.samples)
        # A few shots of a task are parts of its parts: it is still known by its own fingerprint.
        return cls(task.fingerprint.partition("/")[0], task.seed, task.group_column, samples)

    def __contains__(self, sample: Sample) -> bool:
        return _key(sample) in self.samples

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; the samples as one string, since a list would be a line for each."""
        return {
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "group_column": self.group_column,
            "samples": "".join(sorted(self.samples)),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Learnt":
        """What `to_json` wrote."""
        said = data["samples"]
        samples = frozenset(said[start : start + DIGITS] for start in range(0, len(said), DIGITS))
        return cls(data["fingerprint"], data["seed"], data["group_column"], samples)


def _key(sample: Sample) -> str:
    return sample.digest[:DIGITS]
