"""Strategies side by side: trials, paired tests, learning curves, the transfer receipt and the report."""

from regraft.comparing.contents import write_contents
from regraft.comparing.curves import LearningCurve
from regraft.comparing.ranking import Summary, Verdict
from regraft.comparing.receipt import TransferGain
from regraft.comparing.receipt_lines import gain_sentence
from regraft.comparing.report import curve_sentences
from regraft.comparing.study import Comparison, compare
from regraft.comparing.trials import Trial

__all__ = [
    "Comparison",
    "LearningCurve",
    "Summary",
    "TransferGain",
    "Trial",
    "Verdict",
    "compare",
    "curve_sentences",
    "gain_sentence",
    "write_contents",
]
