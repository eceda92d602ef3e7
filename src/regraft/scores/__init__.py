"""Transferability scores: how well frozen features suit a task, told without training; one file each.

A score costs milliseconds and is a second opinion. On published zoos none beats a static ranking of models (Singh 2026,
"How NOT to benchmark your SITE metric"; Agostinelli 2022), so that probes decide and scores are shown beside them.
"""

from regraft.scores.contract import Score, ScoreInputs
from regraft.scores.gbc import GBC
from regraft.scores.h_score import H_SCORE
from regraft.scores.knn import KNN
from regraft.scores.leep import LEEP
from regraft.scores.logme import LOGME
from regraft.scores.n_leep import N_LEEP
from regraft.scores.nce import NCE
from regraft.scores.ridge import RIDGE
from regraft.scores.spectrum import Spectrum
from regraft.scores.transrate import TRANSRATE

# The telling and cheap ones first: a budget may end the list early.
SCORES: tuple[Score, ...] = (KNN, RIDGE, LOGME, H_SCORE, NCE, LEEP, GBC, TRANSRATE, N_LEEP)

__all__ = ["SCORES", "Score", "ScoreInputs", "Spectrum"]
