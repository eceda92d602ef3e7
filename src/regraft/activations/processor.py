"""What this processor has: fast instructions, and how many cores."""

import functools
import os
from pathlib import Path

MOST_DECODERS = 8  # more threads than these wait for each other


def decoders() -> int:
    """How many threads decode pictures: one a core that this process may use, 2 to 8."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(max(len(mine), 2), MOST_DECODERS)


def has_bf16() -> bool:
    """Whether it computes in bf16; without the instructions bf16 is emulated and slow."""
    return bool(_flags() & {"avx512_bf16", "amx_bf16"})


def has_amx() -> bool:
    """Whether it has matrix tiles."""
    return "amx_bf16" in _flags()


def has_vnni() -> bool:
    """Whether it sums products of 8-bit integers in one instruction."""
    return bool(_flags() & {"avx512_vnni", "avx_vnni", "avx512vnni"})


@functools.cache
def _flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())
