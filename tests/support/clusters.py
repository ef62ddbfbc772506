"""Points in clusters, in place of features of photos."""

import numpy as np


def clusters(counts, seed=0, apart=1.2):
    """Points around one middle per class, well apart; returns (x, labels)."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    middles = rng.normal(scale=apart, size=(len(counts), 20))
    return middles[labels] + rng.normal(size=(len(labels), 20)), labels
