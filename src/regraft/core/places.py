"""Where regraft keeps what it can compute again."""

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "REGRAFT_CACHE"


def default_cache_dir() -> Path:
    """`REGRAFT_CACHE`, or `regraft` in the platform's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "regraft"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "regraft"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "regraft"
