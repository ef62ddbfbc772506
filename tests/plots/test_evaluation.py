import numpy as np
import pytest

import plots
from plots.style import COLORS, class_color, short

NAMES = ["_cat", "$dog$", "a very long name of a class of wild birds"]


@pytest.mark.parametrize("num_classes", [2, 3, 25, 200])
def test_the_confusion_matrix_is_readable(num_classes, tmp_path):
    names = [f"class {number}" for number in range(num_classes)]
    counts = np.eye(num_classes, dtype=int) * 8
    counts[0, 1] = 2
    ax = plots.plot_confusion(counts, names)
    (image,) = ax.get_images()
    np.testing.assert_allclose(image.get_array()[0, :2], [0.8, 0.2])
    numbers = [text.get_text() for text in ax.texts]
    if num_classes <= 25:
        assert numbers.count("8") == num_classes and numbers.count("2") == 1
    else:
        assert not numbers
    ticks = [text.get_text() for text in ax.get_yticklabels()]
    assert ticks[0] == "class 0" and len(ticks) <= 60
    ax.figure.savefig(tmp_path / "confusion.png")


def test_a_class_without_photos_is_no_division_by_zero():
    ax = plots.plot_confusion(np.array([[3, 0], [0, 0]]), ["a", "b"])
    assert np.isfinite(ax.get_images()[0].get_array()).all()


def curve(area):
    return np.array([0, 0.2, 1]), np.array([0, 0.9, 1]), area


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_of_two_classes_one_curve_says_all(tmp_path):
    ax = plots.plot_roc([curve(0.93), curve(0.93)], ["cat", "dog"])
    assert legend_of(ax)[1:] == ["\u200bdog, area 0.930"]
    ax = plots.plot_precision_recall([None, curve(0.5)], ["cat", "dog"])
    assert legend_of(ax) == ["\u200bdog, average precision 0.500"]
    ax.figure.savefig(tmp_path / "curve.png")


def test_of_many_classes_the_worst_have_a_name():
    curves = [curve(0.5 + number / 100) for number in range(20)] + [None]
    names = [f"class {number}" for number in range(21)]
    labels = legend_of(plots.plot_roc(curves, names))
    assert len(labels) == 10  # chance, eight, the others
    assert "class 7," in labels[8] and labels[9].startswith("The other")


def test_empty_bins_are_left_out_of_the_reliability():
    bins = ([np.nan, 0.7, 0.9], [np.nan, 0.6, 0.95], [0, 4, 6])
    ax = plots.plot_reliability(bins, calibrated=bins)
    assert legend_of(ax)[1:] == ["As trained", "Calibrated"]
    assert ax.get_lines()[1].get_xdata().tolist() == [0.7, 0.9]


@pytest.mark.parametrize("num_classes", [2, 40, 200])
def test_class_counts_add_up(num_classes, tmp_path):
    names = [f"class {number}" for number in range(num_classes)]
    counts = {"train": np.full(num_classes, 4), "validation": [1] * num_classes}
    ax = plots.plot_class_counts(counts, names)
    assert legend_of(ax) == ["train", "validation"]
    assert ax.patches[num_classes].get_x() == 4  # beside those to train on
    ax.figure.savefig(tmp_path / "counts.png")


def test_the_map_crosses_out_what_is_wrong(tmp_path):
    points = np.arange(8.0).reshape(4, 2)
    labels, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    ax = plots.plot_feature_map(
        points, labels, predicted, NAMES, explained=[0.5, 0.2]
    )
    right, wrong, *_ = ax.collections
    assert right.get_offsets().tolist() == points[[0, 2, 3]].tolist()
    assert wrong.get_offsets().tolist() == points[[1]].tolist()
    labels = legend_of(ax)
    assert labels[0] == "\u200b_cat"  # as it is, though it begins with _
    assert labels[-1] == "wrong prediction"
    assert ax.get_xlabel() == "Component 1 (50%)"
    ax.figure.savefig(tmp_path / "map.png")


def test_a_class_has_one_colour_everywhere():
    assert [class_color(x, 6) for x in range(6)] == list(COLORS)
    many = [class_color(x, 30) for x in range(30)]
    assert len(set(many)) == 30


def test_long_names_keep_both_ends():
    assert short("short", 10) == "short"
    cut = short(NAMES[2], 18)
    assert len(cut) == 18 and cut.startswith("a very") and cut[-5:] == "birds"


def test_it_draws_on_axes_that_are_given():
    from matplotlib.figure import Figure

    axes = Figure().subplots(2)
    assert plots.plot_confusion(np.eye(2), ["a", "b"], axes[0]) is axes[0]
    assert plots.plot_roc([None, curve(1.0)], ["a", "b"], axes[1]) is axes[1]
