"""N-LEEP (Li, Jia, Sang, Zhu, Green, Wang and Gong 2021, "Ranking Neural Checkpoints")."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from regraft.scores.contract import Score, ScoreInputs
from regraft.scores.leep import expected_log_likelihoods

SHARE = 0.8  # of the variance that is kept
MOST_DIRECTIONS = 64  # more take time and change little
CLUSTERS_PER_CLASS = 5
FEWEST_IN_CLUSTER = 4  # samples a cluster has on average, so that it is no sample's own
VARIANCE_FLOOR = 1e-3  # of the mean variance


def n_leep(inputs: ScoreInputs) -> float:
    """LEEP with clusters of a Gaussian mixture on the features' leading directions in place of source classes.

    NaN where the features do not vary, so that there are no clusters.
    The mixture has diagonal covariances: the directions are uncorrelated, and full ones take a hundred times longer.
    """
    spectrum, samples = inputs.centred, len(inputs.features)
    if not len(spectrum.values):
        return float("nan")
    shares = np.cumsum(spectrum.values) / spectrum.values.sum()
    reduced = spectrum.leading(min(int(np.searchsorted(shares, SHARE)) + 1, MOST_DIRECTIONS))
    clusters = max(2, min(CLUSTERS_PER_CLASS * int(np.count_nonzero(inputs.counts)), samples // FEWEST_IN_CLUSTER))
    mixture = GaussianMixture(
        min(clusters, samples), covariance_type="diag", reg_covar=VARIANCE_FLOOR * reduced.var(axis=0).mean(),
        max_iter=30, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        posteriors = mixture.fit(reduced).predict_proba(reduced)
    return float(expected_log_likelihoods(posteriors, inputs.targets.astype(np.int64), inputs.classes).mean())


N_LEEP = Score("n-leep", n_leep, ("classes",), "log likelihood of the classes given clusters of the features")
