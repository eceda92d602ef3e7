"""Records read, checked and grouped: everything that comes before a split."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regraft.core import DataError
from regraft.tasks import checks
from regraft.tasks.labels import Labelling, labelling_of
from regraft.tasks.pictures import examine_pictures
from regraft.tasks.reading import Columns, Reading, Record
from regraft.tasks.recognising import read_data
from regraft.tasks.splits import own_splits
from regraft.tasks.twins import groups_of, joined


@dataclass(frozen=True)
class Gathered:
    """Usable records with what no split may part.

    Attributes:
        name: What to call the data.
        reading: Its kind, and the findings so far; further ones are added there.
        records: Those that can be used.
        groups: A number for each; records of one number stay together.
        labelling: How this kind of task treats its labels.
        group_column: Where groups were read from; empty = nowhere.
    """

    name: str
    reading: Reading
    records: list[Record]
    groups: list[int]
    labelling: Labelling
    group_column: str

    def parties(self) -> dict[str, int]:
        """By digest, the group of each sample that is not alone in its."""
        sizes = Counter(self.groups)
        pairs = zip(self.records, self.groups, strict=True)
        return {one.sample.digest: group for one, group in pairs if sizes[group] > 1}


def gathered(data: str | Path, columns: Columns, *, offline: bool) -> Gathered:
    """What can be used of DATA, without samples that contradict each other or stand in a later split too.

    Raises:
        DataError: Nothing usable is there, or no group in the column that should hold them.
    """
    reading, name = read_data(data, columns, offline=offline)
    if columns.group and not any(record.group for record in reading.records):
        raise DataError(
            f"{data}: --group-column {columns.group}: no group is read from there; it goes with a table of texts or of "
            "pictures, with metadata.csv and with the fields of SQuAD files, and must not be empty"
        )
    reading.records = own_splits(reading.records)
    labelling = labelling_of(reading.kind)
    hashes = examine_pictures(reading) if reading.kind == "image-classification" else {}
    checks.drop_contradictions(reading)
    twins = groups_of(reading.records, hashes)
    kept = checks.drop_leakage(reading.records, twins, reading.findings)
    records, twins = [reading.records[i] for i in kept], _renumbered([twins[i] for i in kept])
    checks.check_duplicates(records, twins, reading.findings)
    if columns.group:
        kept = checks.drop_parted_groups(records, reading.findings)
        records, twins = [records[i] for i in kept], _renumbered([twins[i] for i in kept])
    groups = labelling.kept_together(records, joined(twins, [record.group for record in records]))
    return Gathered(name, reading, records, groups, labelling, columns.group)


def _renumbered(groups: Sequence[int]) -> list[int]:
    """The same groups, each named by the position of its first member."""
    first: dict[int, int] = {}
    return [first.setdefault(group, position) for position, group in enumerate(groups)]
