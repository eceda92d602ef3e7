"""What every strategy offers; nothing inherits from it."""

from typing import Protocol

from regraft.core import Outline, Plan, TaskSummary
from regraft.strategies.settings import Settings


class Strategy(Protocol):
    """A rule for how much of a trunk may change."""

    @property
    def name(self) -> str:
        """As `--strategy` takes it."""
        ...

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """The plan for one backbone and task; pure, and quick.

        A strategy that keeps stages frozen takes `settings.boundary`; one that tunes all of them refuses it.

        Raises:
            OptionError: A setting does not go with this strategy.
        """
        ...
