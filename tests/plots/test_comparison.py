import os

from plots import draw_comparison, plot_runs
from plots.style import COLORS


def histories(count):
    return {
        f"run {i}": {
            "val_loss": [0.5, 0.3 - i / 100, 0.4],
            "val_accuracy": [0.6, 0.7, 0.8],
        }
        for i in range(count)
    }


def test_lines_of_many_runs_can_be_told_apart():
    ax = plot_runs(histories(24))
    looks = {(x.get_color(), x.get_linestyle()) for x in ax.get_lines()}
    assert len(looks) == 24
    assert {color for color, _ in looks} == set(COLORS)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [f"run {i}" for i in range(24)]


def test_the_kept_epoch_is_marked_and_a_run_without_one_is_drawn():
    nowhere = {"val_loss": [float("nan")], "val_accuracy": [0.5]}
    figure = draw_comparison({**histories(1), "nan": nowhere})
    accuracy, loss = figure.axes
    for ax, key in ((accuracy, "val_accuracy"), (loss, "val_loss")):
        kept, none = ax.get_lines()
        assert kept.get_markevery() == [1] and none.get_markevery() == []
        assert kept.get_xdata().tolist() == [1, 2, 3]
        assert kept.get_ydata().tolist() == histories(1)["run 0"][key]
    figure.savefig(os.devnull, format="png")


def test_a_loss_that_would_flatten_the_others_makes_the_axis_logarithmic():
    high = {"val_loss": [90.0, 80.0], "val_accuracy": [0.5, 0.5]}
    ax = plot_runs({**histories(2), "high": high}, metric="loss")
    assert ax.get_yscale() == "log"
    assert plot_runs(histories(2), metric="loss").get_yscale() == "linear"
