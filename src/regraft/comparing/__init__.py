"""Strategies side by side."""

from regraft.comparing._old import Comparison, Trial, compare, gain_sentence

__all__ = ["Comparison", "Trial", "compare", "gain_sentence"]
