"""The engine that runs any plan."""

from regraft.running.devices import resolve_device
from regraft.running.execute import execute
from regraft.running.memory import Memory, expected_memory, peak_memory

__all__ = ["Memory", "execute", "expected_memory", "peak_memory", "resolve_device"]
