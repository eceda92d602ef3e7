"""Anything a user may call data, read as a task."""

from regraft.tasks.opening import Inspection, inspect_data, open_task
from regraft.tasks.sampling import few_shot

__all__ = ["Inspection", "few_shot", "inspect_data", "open_task"]
