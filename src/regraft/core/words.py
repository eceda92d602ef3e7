"""How numbers are written in sentences and tables."""

ONE_MINUTE, ONE_HOUR = 60, 3600


def points(share: float, *, signed: bool = False) -> str:
    """A share as percentage points: 0.123 is `12.3`."""
    value = round(100 * share, 1) + 0.0  # no -0.0
    return f"{value:+.1f}" if signed else f"{abs(value):.1f}"


def seconds_said(seconds: float) -> str:
    """A duration as a person says it: `0.42 s`, `38 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < ONE_MINUTE:
        return f"{whole} s"
    if whole < ONE_HOUR:
        return f"{whole // ONE_MINUTE} min {whole % ONE_MINUTE} s"
    return f"{whole // ONE_HOUR} h {whole % ONE_HOUR // ONE_MINUTE} min"


def joules_said(joules: float) -> str:
    """An energy in the unit that suits it."""
    if abs(joules) < 10_000:
        return f"{joules:.0f} J"
    return f"{joules / 3.6e6:.2g} kWh" if abs(joules) >= 3.6e5 else f"{joules / 1000:.0f} kJ"


def backbone_said(backbone: str) -> str:
    """A backbone's name for a person: of a folder, its last part."""
    is_folder = "/" in backbone and not backbone.startswith(("hf:", "scratch:hf:"))
    return backbone.rstrip("/").rpartition("/")[2] if is_folder else backbone


def metric_said(metric: str) -> str:
    """A metric's name for a person: `macro_f1` is `macro F1`."""
    known = {"pearson": "Pearson correlation", "f1": "F1", "entity_f1": "entity F1", "macro_f1": "macro F1"}
    return known.get(metric, metric.replace("_", " "))
