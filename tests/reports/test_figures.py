import matplotlib.pyplot as plt
import numpy as np
import pytest

from thaw.evaluation.evaluation import evaluate
from thaw.evaluation.predictions import Predictions
from thaw.reports.figures import draw_figures


@pytest.mark.parametrize("number, drawn", [(300, 300), (25_000, 20_000)])
def test_figures_of_many_photos_have_as_many_points_as_can_be_seen(
    number, drawn
):
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=number)
    logits = labels + rng.normal(size=number)
    positive = 1 / (1 + np.exp(-logits))
    predictions = Predictions(
        range(number),
        labels,
        np.stack([1 - positive, positive], axis=1),
        rng.normal(size=(number, 3)),
        None,
        ("cat", "dog"),
    )
    figures = draw_figures(
        predictions, evaluate(predictions), None, {"train": [1, 1]}
    )
    (axes,) = figures["feature_map"].axes
    assert sum(len(x.get_offsets()) for x in axes.collections) == drawn
    for name in ("roc", "precision_recall"):
        for line in figures[name].axes[0].lines:
            assert len(line.get_xdata()) <= drawn + 1
    plt.close("all")
