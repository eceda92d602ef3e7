"""Evidence: what is measured of a task on a backbone before anything is trained."""

from regraft.measuring.curve import expected_at
from regraft.measuring.measure import measure

__all__ = ["expected_at", "measure"]
