"""Pictures of what a run did: plain arrays in, matplotlib axes out."""

from plots.comparison import plot_comparison, plot_runs
from plots.contact_sheet import plot_contact_sheet
from plots.heat import overlay_heat
from plots.history import plot_history, plot_step_losses
from plots.photos import plot_photos
from plots.rates import plot_range_test, plot_rates

__all__ = [
    "overlay_heat",
    "plot_comparison",
    "plot_contact_sheet",
    "plot_history",
    "plot_photos",
    "plot_range_test",
    "plot_rates",
    "plot_runs",
    "plot_step_losses",
]
