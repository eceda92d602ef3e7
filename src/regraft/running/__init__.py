"""The engine that runs any plan."""

from regraft.running.devices import resolve_device
from regraft.running.execute import execute

__all__ = ["execute", "resolve_device"]
