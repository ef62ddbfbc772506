import subprocess
import sys

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from plots import (
    draw_photos,
    plot_history,
    plot_learning_rates,
    plot_range_test,
    plot_step_losses,
)
from tests.support.paths import ROOT

HISTORY = {
    "loss": [0.9, 0.5, 0.4],
    "val_loss": [0.8, 0.6, 0.5],
    "accuracy": [0.5, 0.7, 0.8],
    "val_accuracy": [0.6, 0.7, 0.75],
}


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_curves_have_the_classic_form(metric):
    ax = plot_history(HISTORY, metric=metric)
    assert ax.get_title() == f"Training and validation {metric}"
    training, validation = ax.get_lines()
    assert training.get_marker() == "o" and training.get_linestyle() == "None"
    assert validation.get_linestyle() == "-"
    for line, key in ((training, metric), (validation, f"val_{metric}")):
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata().tolist() == HISTORY[key]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [f"Training {metric}", f"Validation {metric}"]


def test_the_moment_of_unfreezing_is_a_vertical_line():
    stages = ["head", "fine_tune", "fine_tune"]
    line = plot_history({**HISTORY, "stage": stages}).get_lines()[-1]
    assert list(line.get_xdata()) == [1.5, 1.5]
    assert line.get_label() == "Unfreezing"


def test_it_draws_on_axes_given_and_takes_a_keras_history():
    history = keras.callbacks.History()
    history.history = HISTORY
    ax = Figure().add_subplot()
    assert plot_history(history, ax) is ax


def test_one_epoch_can_be_seen():
    one = {key: values[:1] for key, values in HISTORY.items()}
    _, validation = plot_history(one).get_lines()
    assert validation.get_marker() == "_"


def test_drawing_needs_no_display_and_no_pyplot():
    script = (
        "import sys, plots\n"
        f"plots.plot_history({HISTORY!r}).figure.savefig('/dev/null', "
        "format='png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'keras' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_curves_are_smoothed_on_request():
    ax = plot_history(HISTORY, metric="loss", smoothing=0.8)
    assert "smoothed by 0.8" in ax.get_title()
    training, _ = ax.get_lines()
    second = 0.8 * 0.9 + 0.2 * 0.5
    np.testing.assert_allclose(
        training.get_ydata(), [0.9, second, 0.8 * second + 0.2 * 0.4]
    )


def test_rates_are_drawn_for_the_groups_that_trained():
    nan = float("nan")
    ax = plot_learning_rates(
        {
            "head": [1e-3, 1e-4, 1e-4],
            "upper": [nan, 1e-5, 1e-5],
            "lower": [nan] * 3,
        },
        changes=[1],
    )
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert set(lines) == {"head", "upper", "Unfreezing"}
    assert ax.get_yscale() == "log"
    np.testing.assert_array_equal(lines["head"].get_ydata(), [1e-3, 1e-4, 1e-4])
    assert list(lines["Unfreezing"].get_xdata()) == [1.5, 1.5]


def test_the_range_test_marks_what_it_suggests():
    rates = np.geomspace(1e-7, 1, 50)
    losses = np.concatenate([np.linspace(2, 1, 45), [2, 4, 8, 16, 32.0]])
    ax = plot_range_test(rates, losses, {"valley": 1e-3, "steep": 1e-2})
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["valley: 1.0e-03", "steep: 1.0e-02"]
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[1] < 4  # the end does not flatten the rest


def test_losses_by_step_and_photos_are_drawn():
    ax = plot_step_losses([10, 20, 30], [0.9, 0.5, 0.4], changes=[10])
    assert list(ax.get_lines()[-1].get_xdata()) == [10.5, 10.5]
    figure = draw_photos(np.zeros((8, 5, 5, 3)), list("abcdefgh"), columns=6)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == list("abcdefgh")
    lefts, tops = zip(*(text.get_position() for text in ax.texts), strict=True)
    assert len(set(tops[:6])) == 1 and tops[6] == tops[7] > tops[0]
    assert lefts[:2] == lefts[6:] and lefts[0] < lefts[1]


def test_equal_learning_rates_are_drawn_over_each_other_and_all_seen():
    nan = np.nan
    ax = plot_learning_rates(
        {
            "low": [nan, 1e-4, 1e-5],
            "high": [nan, 1e-4, 1e-5],
            "head": [1e-3, 1e-4, 1e-5],
            "other": [nan, 1e-6, 1e-6],
        }
    )
    widths = {x.get_label(): x.get_linewidth() for x in ax.lines}
    assert widths["low"] > widths["high"] > widths["head"] == widths["other"]
