"""Which fast instructions this processor has."""

import functools
from pathlib import Path


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
