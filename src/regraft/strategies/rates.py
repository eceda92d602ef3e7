"""Default learning rates by family; where `benchmarks/rates.py` was run, what it found best."""

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
    """Learning rates of AdamW.

    Attributes:
        tuning: Of the last stage, when the trunk's own weights move.
        head: Of a head on frozen features.
        scratch: Of everything, from a random start.
        adapter: Of low-rank adapters beside the weights.
    """

    tuning: float
    head: float
    scratch: float
    adapter: float


# AdamW 1e-4 for convolutional networks; 5e-5 for transformers 768 wide, the upper end of Devlin 2019's range, as they
# are used on little data. A head and adapters are ten times as fast (of adapters: Schulman 2025, "LoRA Without Regret").
CONVOLUTIONAL = Rates(tuning=1e-4, head=1e-3, scratch=1e-3, adapter=1e-3)
SMALL_CONVOLUTIONAL = Rates(tuning=3e-4, head=1e-3, scratch=1e-3, adapter=1e-3)
SMALL = 10_000_000  # parameters
ATTENTION = Rates(tuning=5e-5, head=5e-4, scratch=5e-4, adapter=5e-4)
HEAD_SCALE = 10  # times as fast as the last stage, where both train
BASE_WIDTH = 768
MOST_SCALE = 4.0


def rates_for(outline: Outline) -> Rates:
    """The default rates of a family; small convolutional networks and narrower text trunks take larger ones.

    Whole-model tuning at 1e-4, 3e-4 and 1e-3 with ten labels a class has mean validation accuracy 0.750, 0.771 and
    0.742 for mobilenetv2_100 (2 million parameters) and 0.624, 0.657 and 0.635 for bundled:resnet-small (5 million;
    `benchmarks/rates.py --summary`).

    MiniLM (384 wide) at 5e-5, 1e-4, 2e-4 and 4e-4 for four epochs has validation entity F1 0.62, 0.75, 0.85 and 0.88
    on snips_slots, and accuracy 0.80, 0.86, 0.90 and 0.91 on banking77 (`benchmarks/rates.py`). The third is taken:
    with the epochs that are the default the last gains little, and it leaves less room for error.
    """
    if outline.family not in ATTENTION_FAMILIES:
        return SMALL_CONVOLUTIONAL if outline.parameters < SMALL else CONVOLUTIONAL
    if outline.family not in TEXT_FAMILIES:
        return ATTENTION
    scale = min(max((BASE_WIDTH / outline.stages[-1].width) ** 2, 1.0), MOST_SCALE)
    return Rates(ATTENTION.tuning * scale, ATTENTION.head * scale, ATTENTION.scratch, ATTENTION.adapter * scale)


def discriminative(stages: int, frozen: int, rate: float, layer_decay: float | None = None) -> tuple[float, ...]:
    """One rate per stage: 0 for the frozen ones, then rising to `rate` at the last.

    Args:
        stages: How many there are.
        frozen: How many of them, from the input on, do not train.
        rate: Of the last.
        layer_decay: Rate of a stage as a share of the next one's; None = so that the first gets `FIRST_SHARE`.
    """
    trained = stages - frozen
    step = FIRST_SHARE ** (1 / max(trained - 1, 1)) if layer_decay is None else layer_decay
    return (0.0,) * frozen + tuple(rate * step ** (trained - 1 - i) for i in range(trained))


def epochs_for(summary: TaskSummary, batch_size: int, fewest: int, most: int) -> int:
    """Enough epochs for about 500 steps, within bounds."""
    steps_per_epoch = max(-(-summary.samples // batch_size), 1)
    return min(max(round(STEPS / steps_per_epoch), fewest), most)
