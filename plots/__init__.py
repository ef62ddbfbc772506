"""Plots of a run: plain arrays in, matplotlib axes out.

A function called `plot_` returns axes, one called `draw_` a whole figure.
"""

from plots.classes import plot_class_counts, plot_feature_map
from plots.comparison import draw_comparison, plot_runs
from plots.confusion import plot_confusion
from plots.contact_sheet import draw_contact_sheet
from plots.curves import plot_precision_recall, plot_reliability, plot_roc
from plots.heat import overlay_heat
from plots.history import plot_history, plot_step_losses
from plots.learning_rates import plot_learning_rates, plot_range_test
from plots.photos import draw_photos
from plots.style import save_figure
from plots.thaw_curve import plot_thaw_curve

__all__ = [
    "draw_comparison",
    "draw_contact_sheet",
    "draw_photos",
    "overlay_heat",
    "plot_class_counts",
    "plot_confusion",
    "plot_feature_map",
    "plot_history",
    "plot_learning_rates",
    "plot_precision_recall",
    "plot_range_test",
    "plot_reliability",
    "plot_roc",
    "plot_runs",
    "plot_step_losses",
    "plot_thaw_curve",
    "save_figure",
]
