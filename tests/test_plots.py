import subprocess
import sys

import keras
import pytest
from matplotlib.figure import Figure

from plots import plot_history
from tests.conftest import ROOT

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
