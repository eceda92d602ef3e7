"""What a run has told so far, one JSON object a line, and TensorBoard's events on request."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regraft.core import OptionError
from regraft.pretraining.loop import Report

LOG = "log.jsonl"


class Log:
    """The lines of a run; those of steps that a kill undid are taken out when it goes on."""

    def __init__(self, folder: Path, done: int, tensorboard: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / LOG
        kept = [line for line in read_log(folder) if line["step"] <= done]
        draft = self._file.with_suffix(".draft")
        draft.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        draft.replace(self._file)
        self._events: Any = None if tensorboard is None else _writer(tensorboard, done)

    def add(self, report: Report) -> None:
        """Write a report."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report)) + "\n")
        if self._events is None:
            return
        for name in ("loss", "rate", "samples_per_second"):
            self._events.add_scalar(f"train/{name}", getattr(report, name), report.step)
        for name, value in report.metrics.items():
            self._events.add_scalar(f"held_out/{name}", value, report.step)
        self._events.flush()

    def close(self) -> None:
        """Finish the events."""
        if self._events is not None:
            self._events.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run, in order; a line cut short by a kill is left out."""
    file = folder / LOG
    if not file.exists():
        return []
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def _writer(folder: Path, done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional
    except ImportError as error:
        raise OptionError("--tensorboard needs the package tensorboard: pip install 'regraft[tensorboard]'") from error
    return SummaryWriter(str(folder), purge_step=done + 1)
