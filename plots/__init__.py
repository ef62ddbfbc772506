"""Pictures of what a run did: plain arrays in, matplotlib axes out."""

from plots.classes import plot_class_counts, plot_feature_map
from plots.comparison import plot_comparison, plot_runs
from plots.confusion import plot_confusion
from plots.contact_sheet import plot_contact_sheet
from plots.curves import plot_precision_recall, plot_reliability, plot_roc
from plots.heat import overlay_heat
from plots.history import plot_history, plot_step_losses
from plots.photos import plot_photos
from plots.rates import plot_range_test, plot_rates

__all__ = [
    "overlay_heat",
    "plot_class_counts",
    "plot_comparison",
    "plot_confusion",
    "plot_contact_sheet",
    "plot_feature_map",
    "plot_history",
    "plot_photos",
    "plot_precision_recall",
    "plot_range_test",
    "plot_rates",
    "plot_reliability",
    "plot_roc",
    "plot_runs",
    "plot_step_losses",
]
