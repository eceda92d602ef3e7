"""Default learning rates by family: what PERFORMANCE and the papers it cites recommend."""

from dataclasses import dataclass

from regraft.core import ATTENTION_FAMILIES, TEXT_FAMILIES, Outline, TaskSummary

# The first trained stage gets this share of the last one's rate, with equal steps between: between the
# 0.9 a layer of AutoGluon and the 1/2.6 a layer of Howard and Ruder 2018 (ULMFiT), whatever the depth.
FIRST_SHARE = 0.1

# Steps that whole-model tuning takes on a small set (Kolesnikov 2020, BiT-HyperRule: 500 below 20,000
# samples), within bounds that suit very small and larger ones.
STEPS = 500


@dataclass(frozen=True)
class Rates:
    """Learning rates of AdamW."""

    tuning: float
    head: float
    scratch: float


# AdamW 1e-4 for convolutional networks with a ten times faster head; 5e-5 for transformers 768 wide, the upper end
# of Devlin 2019's range, as they are used on little data.
CONVOLUTIONAL = Rates(tuning=1e-4, head=1e-3, scratch=1e-3)
ATTENTION = Rates(tuning=5e-5, head=5e-4, scratch=5e-4)
BASE_WIDTH = 768
MOST_SCALE = 4.0


def rates_for(outline: Outline) -> Rates:
    """The default rates of a family; narrower text trunks take larger ones.

    MiniLM (384 wide) at 5e-5, 1e-4, 2e-4 and 4e-4 for four epochs has validation entity F1 0.62, 0.75, 0.85 and 0.88
    on snips_slots, and accuracy 0.80, 0.86, 0.90 and 0.91 on banking77 (`benchmarks/rates.py`). The third is taken:
    with the epochs that are the default the last gains little, and it leaves less room for error.
    """
    if outline.family not in ATTENTION_FAMILIES:
        return CONVOLUTIONAL
    if outline.family not in TEXT_FAMILIES:
        return ATTENTION
    scale = min(max((BASE_WIDTH / outline.stages[-1].width) ** 2, 1.0), MOST_SCALE)
    return Rates(ATTENTION.tuning * scale, ATTENTION.head * scale, ATTENTION.scratch)


def discriminative(stages: int, frozen: int, rate: float) -> tuple[float, ...]:
    """One rate per stage: 0 for the frozen ones, then rising to `rate` at the last."""
    trained = stages - frozen
    step = FIRST_SHARE ** (1 / max(trained - 1, 1))
    return (0.0,) * frozen + tuple(rate * step ** (trained - 1 - i) for i in range(trained))


def epochs_for(summary: TaskSummary, batch_size: int, fewest: int, most: int) -> int:
    """Enough epochs for about 500 steps, within bounds."""
    steps_per_epoch = max(-(-summary.samples // batch_size), 1)
    return min(max(round(STEPS / steps_per_epoch), fewest), most)
