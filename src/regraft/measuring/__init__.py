"""Evidence: what is measured of a task on a backbone before anything is trained."""

from regraft.measuring.curve import expected_at
from regraft.measuring.measure import measure
from regraft.measuring.source_statistics import SourceStatistics, source_statistics, write_source_statistics

__all__ = ["SourceStatistics", "expected_at", "measure", "source_statistics", "write_source_statistics"]
