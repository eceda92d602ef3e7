"""What a job tells while it runs: JSON lines in its folder, read again from any place, so that a reload loses nothing."""

import json
import time
from pathlib import Path
from typing import Any

EVENTS_FILE = "events.jsonl"
BETWEEN = 0.25  # seconds: more often no eye sees
MOST_READ = 1 << 20


class EventFile:
    """Writes the events of one job; of progress only what a reader can follow."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / EVENTS_FILE
        self._told: dict[str, float] = {}

    def write(self, event: dict[str, Any]) -> None:
        """Append one event; `progress` that follows too soon is left out unless it is the last of its kind."""
        now = time.monotonic()
        if event["type"] == "progress":
            key = event["what"]
            if now - self._told.get(key, -BETWEEN) < BETWEEN and event["done"] < event["total"]:
                return
            self._told[key] = now
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")


def events_after(folder: Path, place: int) -> tuple[list[dict[str, Any]], int]:
    """Whole events from a byte on, and the byte to ask for next."""
    file = folder / EVENTS_FILE
    if place < 0 or not file.exists():
        return [], 0
    with file.open("rb") as opened:
        opened.seek(place)
        data = opened.read(MOST_READ)
    whole = data[: data.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()], place + len(whole)
