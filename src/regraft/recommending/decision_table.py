"""Rules of thumb as numbers: what each strategy gains over the probe, by labels per class and domain.

Few labels favour frozen features and many favour tuning (SetFit's raw runs, 60 splits: Tunstall 2022; LP-FT: Kumar 2022;
VTAB-1k; Transfer-Learning-Library's tables), a far domain favours the probe of all stages and deeper tuning (Head2Toe:
Evci 2022). The cut-offs and the points are a reading of these sources, not published thresholds: their spread is wide.
"""

import math

from regraft.recommending.situation import Situation

# Upper ends of the bands of training samples per class; the last has none.
BANDS = (10.0, 50.0, 500.0)

# Points gained over a probe of the last stage, per band.
NEAR: dict[str, tuple[float, float, float, float]] = {
    "feature-extraction@all": (0.0, 0.5, 0.5, 0.5),
    "partial-fine-tuning": (-2.0, 0.0, 1.5, 2.5),
    "lora": (-4.0, -1.0, 1.5, 2.5),
    "full-fine-tuning": (-5.0, -1.0, 2.0, 4.0),
    "lp-ft": (-2.0, 0.5, 2.5, 3.5),
    "gradual-unfreezing": (-3.0, -0.5, 2.0, 3.0),
    "from-scratch": (-35.0, -25.0, -15.0, -5.0),
}
FAR: dict[str, tuple[float, float, float, float]] = {
    "feature-extraction@all": (2.0, 2.0, 2.0, 2.0),
    "partial-fine-tuning": (-1.0, 2.5, 5.0, 6.0),
    "lora": (-3.0, 2.0, 5.0, 6.0),
    "full-fine-tuning": (-3.0, 3.0, 8.0, 10.0),
    "lp-ft": (0.0, 4.0, 7.0, 9.0),
    "gradual-unfreezing": (-2.0, 3.0, 6.0, 8.0),
    "from-scratch": (-25.0, -15.0, -5.0, 0.0),
}
# Of a strategy that the sources do not speak of: as good as the probe, and known half as well.
UNLISTED, UNLISTED_SPREAD = (0.0, 0.0, 0.0, 0.0), 2.0
UNKNOWN = 0.25  # how far a domain is taken to be that was not measured: most backbones are chosen near
SPREAD = (6.0, 5.0, 4.5, 4.0)
# What tuning gains besides where every token or a span is asked for: pooled features are not what such a head reads
# (Peters 2019, "To Tune or Not to Tune?", tables 2 and 3).
STRUCTURED = 10.0
# Share of what a probe of all stages gains over one of the last that tuning is expected to gain too, per band: what
# earlier stages hold can be moved to the last, given labels enough.
FOUND_EARLIER = (0.3, 0.7, 1.0, 1.0)
# Of what the probe lacks: no strategy is expected to gain more than this share of it before it is tried.
MOST_SHARE = 0.6


def table_gain(strategy: str, situation: Situation, per_class: float) -> tuple[float, float]:
    """Expected gain over the probe and its standard deviation, as shares; a domain between near and far gets a mean.

    Args:
        strategy: An arm such as `lp-ft` or `feature-extraction@all`.
        situation: Says how far the domain is.
        per_class: Training samples per class.
    """
    band = sum(per_class > edge for edge in BANDS)
    distance = situation.distance
    far = distance if distance is not None else {True: 1.0, False: 0.0, None: UNKNOWN}[situation.far]
    near_row, far_row = NEAR.get(strategy, UNLISTED), FAR.get(strategy, UNLISTED)
    points = (1 - far) * near_row[band] + far * far_row[band]
    spread = SPREAD[band] * (1 if strategy in NEAR else UNLISTED_SPREAD)
    if situation.summary.kind in {"token-classification", "question-answering"}:
        points += STRUCTURED
    if strategy != "feature-extraction@all":
        points += 100 * FOUND_EARLIER[band] * max(situation.all_gain, 0.0)
    return within_reach(points / 100, situation.reached), spread / 100


def within_reach(gain: float, reached: float) -> float:
    """A gain that cannot be more than a share of what the probe lacks; of two gains the larger stays the larger.

    Args:
        gain: As a linear rule says it, over the probe's result.
        reached: The probe's result, 0-1.
    """
    most = MOST_SHARE * (1 - reached)
    if gain <= 0:
        return max(gain, -max(reached, 0.0))
    return most * math.tanh(gain / most) if most > 0 else 0.0
