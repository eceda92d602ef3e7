"""Energy of a piece of work: measured where the machine tells it, else estimated from time."""

from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")  # Linux RAPL; since CVE-2020-8694 often readable by root only
CPU_WATTS = 65.0  # a usual rated power of a desktop processor; what an estimate assumes
ACCELERATOR_WATTS = 300.0  # between 250 W and 350 W, the rated power of usual PCIe data-centre cards


@dataclass(frozen=True)
class _Counter:
    """A register that counts microjoules and starts again from 0 beyond `most`."""

    file: Path
    most: int

    def read(self) -> int:
        return int(self.file.read_text())


class Meter:
    """Joules of the processor packages, from when it is made to its last `lap`.

    The packages are those of the whole machine, whatever else it does meanwhile. Of an accelerator they know nothing.

    Args:
        folder: Of the counters; None = the machine's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.joules: float | None = None
        self._counters = _packages(folder or POWERCAP)
        self._read = [counter.read() for counter in self._counters]

    def lap(self) -> None:
        """Add what was spent since the last lap; often enough, since a counter that went round twice counts once."""
        if not self._counters:
            return
        read = [counter.read() for counter in self._counters]
        spent = [
            (now - before) % (counter.most + 1)
            for counter, now, before in zip(self._counters, read, self._read, strict=True)
        ]
        self.joules, self._read = (self.joules or 0.0) + sum(spent) / 1e6, read


def _packages(folder: Path) -> list[_Counter]:
    """The counters of whole packages (`intel-rapl:0`); their parts (`intel-rapl:0:0`) would count twice."""
    counters = []
    for zone in sorted(folder.glob("intel-rapl:*")):
        if zone.name.count(":") != 1:
            continue
        try:
            counter = _Counter(zone / "energy_uj", int((zone / "max_energy_range_uj").read_text()))
            counter.read()
        except (OSError, ValueError):
            return []
        counters.append(counter)
    return counters


def assumed_watts(device: str) -> float:
    """The power that an estimate assumes for a device as PyTorch names it."""
    return CPU_WATTS if device == "cpu" else ACCELERATOR_WATTS
