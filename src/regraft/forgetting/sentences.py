"""What was forgotten, and what keeping it cost, in words."""

import math
from typing import Any

SHARE = "source_accuracy"  # the metric of pictures; of texts it is a perplexity
# `benchmarks/forgetting.py proxy`: Spearman 0.25 and 0.26 with the accuracy lost on the source.
PROXY_TELLS = "which hardly tells how much is forgotten (rank correlation 0.25 and 0.26 in 29 runs of ours)"


def forgetting_sentence(found: dict[str, Any]) -> str:
    """What was forgotten, in one sentence; of the proxy, how little it tells."""
    agrees = "" if found["agreement"] is None else f"; on target inputs it says the same for {found['agreement']:.1%}"
    if "source_drift" in found:
        return (
            f"forgetting (proxy): features of source texts moved by {found['source_drift']:.3f}, of target texts by "
            f"{found['feature_drift']:.3f} (1 - cosine); no perplexity: {found['because']}"
        )
    if found["measured"] == "proxy":
        return (
            f"forgetting (proxy, no --source): features moved by {found['feature_drift']:.3f} (1 - cosine){agrees}; "
            f"{PROXY_TELLS}"
        )
    return f"forgotten: {_lost(found)}{agrees}"


def _lost(found: dict[str, Any]) -> str:
    """A loss with its interval, in the metric's own terms."""
    lost, low, high = (f"{100 * found[key]:.1f}" for key in ("lost", "low", "high"))
    if found["metric"] == SHARE:
        return (
            f"{lost} points [{low}, {high}] of the original head's {found['before']:.3f} on {found['samples']} source "
            f"samples of {found['classes']} classes"
        )
    name = found["metric"].replace("_", " ")
    return (
        f"{name} of the original head went from {found['before']:.2f} to {found['after']:.2f}, by {lost} % "
        f"[{low}, {high}], on {found['samples']} source documents"
    )


def budget_sentence(found: dict[str, Any]) -> str:
    """What a budget cost, or what was forgotten where there was none, in one sentence."""
    if found["budget"] is None:
        return f"forgotten: {_lost(found['held_out'])}"
    way = f"went {found['alpha']:.0%} of the way to the tuned weights, with a logistic head solved anew there"
    if found["alpha"] == found["curve"][-1]["alpha"]:
        way = "the trained model keeps it as it is"
    points = 100 * found["target_cost"]
    paid = f"cost {points:.1f}" if points >= 0 else f"gained {-points:.1f}"
    cost = f"the budget {paid} points of accuracy on the target"
    kept = found["held_out"]
    lost = f"lost {_lost(kept)}" if kept["metric"] == SHARE else _lost(kept)
    return f"forgetting budget {found['budget']:.1%}: {way}; {lost}; {cost}"


def curve_rows(found: dict[str, Any]) -> list[list[str]]:
    """The curve over alpha as rows: share of the way, target, source, loss."""
    unit, rows = loss_unit(found["held_out"]["metric"]), []
    for point in found["curve"]:
        target = "-" if point["target"] is None or math.isnan(point["target"]) else f"{point['target']:.3f}"
        rows.append([f"{point['alpha']:.1f}", target, f"{point['source']:.3f}", f"{100 * point['lost']:.1f} {unit}"])
    return rows


def loss_unit(metric: str) -> str:
    """Accuracy is lost in points, and a perplexity rises by a share of itself."""
    return "points" if metric == SHARE else "%"
