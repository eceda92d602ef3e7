"""The transfer receipt in sentences."""

import math
from collections.abc import Mapping, Sequence

from regraft.comparing.ranking import cost
from regraft.comparing.receipt import SCRATCH, WHOLE, OneRecipe, TransferGain, Tries, energy_measured, seconds_to_best
from regraft.comparing.trials import Trial
from regraft.core.words import joules_said, points, seconds_said


def gain_sentence(gain: TransferGain | None) -> str:
    """What transfer gained, in one sentence; negative transfer is said loudly."""
    if gain is None:
        return "Nothing was trained from scratch, so that the gain of transfer is not known."
    several = f" ({_chosen_said(gain.tries)} of {gain.tries.strategies})" if gain.tries.strategies > 1 else ""
    told = f"{gain.strategy}{several} against from scratch: {_difference_said(gain)}"
    if gain.high < 0:
        return f"NEGATIVE TRANSFER: {told}. Training from scratch is better here."
    if gain.low <= 0:
        return f"{told}: no difference that these test samples can show."
    return f"{told}, {_time_said(gain)}."


def _chosen_said(tries: Tries) -> str:
    """What makes a strategy the one of several."""
    return "best by validation" if tries.by_validation else "cheapest"


def _difference_said(found: TransferGain | OneRecipe) -> str:
    return (
        f"{points(found.accuracy, signed=True)} points "
        f"(95 % interval {points(found.low, signed=True)} to {points(found.high, signed=True)})"
    )


def _time_said(gain: TransferGain) -> str:
    """What became of the training time; more of it is told as a multiple."""
    if gain.compute_saved >= 0:
        return f"with {100 * gain.compute_saved:.0f} % of the training time saved"
    return f"in {1 - gain.compute_saved:.1f} times the training time"


def receipt_lines(gain: TransferGain | None, groups: Mapping[str, Sequence[Trial]]) -> list[str]:
    """The receipt, line by line.

    Args:
        gain: The receipt.
        groups: Trials of each strategy at the largest number of labels.
    """
    lines = [gain_sentence(gain)]
    if gain is None:
        return lines
    if gain.one_recipe is not None:
        lines.append(_one_recipe_said(gain.one_recipe))
    spent, scratch = cost(groups[gain.strategy]), groups[SCRATCH]
    lines.append(
        f"Training took {seconds_said(spent)} instead of {seconds_said(cost(scratch))} from scratch, whose best epoch was "
        f"done after {seconds_said(seconds_to_best(scratch))}."
    )
    said = "estimated from time and a rated power"
    if energy_measured(groups[gain.strategy], scratch):
        said = "measured by the processor" + (", stored activations estimated from time" if gain.estimated else "")
    lines.append(f"Energy: {joules_said(gain.joules[0])} instead of {joules_said(gain.joules[1])} ({said}).")
    lines += _labels_said(gain, max(trial.labels for trial in scratch))
    lines.append(_tries_said(gain))
    return lines


def _one_recipe_said(found: OneRecipe) -> str:
    """The comparison of one recipe with one, and whether both had as many epochs."""
    told = f"One recipe and one rate on each side, {WHOLE} against from scratch: {_difference_said(found)}"
    whole, scratch = found.epochs
    if found.equal_budget:
        return f"{told}, each with a budget of {whole} epochs."
    return f"{told}; the budgets differ, {whole} epochs and {scratch} from scratch (--epochs {whole} makes them equal)."


def _labels_said(gain: TransferGain, most: int) -> list[str]:
    """What transfer saves of so many labels, and how many scratch would need."""
    lines = []
    if gain.labels_saved is not None:
        low, high = gain.labels_saved_low, gain.labels_saved_high
        between = f"perhaps none to {high}" if low is None else f"{low} to {high}"
        lines.append(
            f"Labels, validation included: {gain.strategy} with {most - gain.labels_saved} is at least as good as from "
            f"scratch with all {most}: {gain.labels_saved} saved, by the sizes that ran (95 % interval {between})."
        )
    needs = gain.scratch_needs
    if needs is None:
        return lines
    if math.isinf(needs) or needs > 2 * most:
        lines.append(
            f"From scratch, more than {2 * most} labels would be needed for the same result (extrapolated from its "
            "learning curve)."
        )
    else:
        lines.append(
            f"From scratch, about {needs:.0f} labels would be needed for the same result (by its fitted learning curve)."
        )
    return lines


def _tries_said(gain: TransferGain) -> str:
    """How many configurations each side is the best of, and what chose."""
    tries = gain.tries
    many = f"{tries.transferred} configuration{'' if tries.transferred == 1 else 's'}"
    if tries.transferred > tries.strategies:
        many += " (each strength of a solved head counts)"
    of = f"{tries.strategies} strateg{'y' if tries.strategies == 1 else 'ies'}"
    uneven = ": transfer had more tries" if tries.transferred > tries.scratch else ""
    return (
        f"Tries: {gain.strategy} is the {_chosen_said(tries)} of {of} with {many}, "
        f"from scratch is {tries.scratch} configuration{uneven}. Each ran once a seed at its defaults, or at the settings "
        "given for all."
    )
