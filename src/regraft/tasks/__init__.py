"""Anything a user may call data, read as a task."""

from regraft.tasks.documents import Documents, documents_of, holds_documents, open_documents
from regraft.tasks.opening import Inspection, inspect_data, open_task
from regraft.tasks.sampling import few_shot

__all__ = [
    "Documents",
    "Inspection",
    "documents_of",
    "few_shot",
    "holds_documents",
    "inspect_data",
    "open_documents",
    "open_task",
]
