"""The folder of converted trunks: every tuned network leaves one there, and the least recently used go first."""

import contextlib
from collections import defaultdict
from pathlib import Path

BUDGET = 4 << 30  # bytes
DESCRIBED = (".xml", ".onnx")  # what makes a conversion complete; the weights of an .xml lie in a .bin beside it


def mark_used(file: Path, budget: int = BUDGET) -> None:
    """Note that a conversion is in use, and remove others until the folder keeps to its budget.

    Args:
        file: Its name, whatever the ending.
        budget: Bytes of all conversions.
    """
    for suffix in DESCRIBED:
        with contextlib.suppress(OSError):
            if file.with_suffix(suffix).exists():
                file.with_suffix(suffix).touch()
    sizes: dict[str, int] = defaultdict(int)
    used: dict[str, float] = defaultdict(float)
    for one in file.parent.glob("*"):
        with contextlib.suppress(OSError):  # another process may have removed it
            facts = one.stat()
            sizes[one.stem] += facts.st_size
            used[one.stem] = max(used[one.stem], facts.st_mtime)
    total = sum(sizes.values())
    for stem in sorted(sizes, key=lambda name: used[name]):
        if total <= budget:
            return
        if stem != file.stem:
            # What another process has mapped stays readable there; a later look-up converts anew.
            for suffix in (*DESCRIBED, ".bin"):
                with contextlib.suppress(OSError):
                    (file.parent / f"{stem}{suffix}").unlink(missing_ok=True)
            total -= sizes[stem]
