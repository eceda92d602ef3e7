"""Strategies side by side."""

from regraft.comparing._old import Comparison, TransferGain, Trial, compare, gain_sentence

__all__ = ["Comparison", "TransferGain", "Trial", "compare", "gain_sentence"]
