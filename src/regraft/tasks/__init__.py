"""Anything a user may call data, read as a task."""

from regraft.tasks.documents import Documents, documents_of, holds_documents, open_documents
from regraft.tasks.held_out import HeldOut, open_held_out
from regraft.tasks.opening import Inspection, inspect_data, open_task
from regraft.tasks.reading import Columns
from regraft.tasks.sampling import few_shot

__all__ = [
    "Columns",
    "Documents",
    "HeldOut",
    "Inspection",
    "documents_of",
    "few_shot",
    "holds_documents",
    "inspect_data",
    "open_documents",
    "open_held_out",
    "open_task",
]
