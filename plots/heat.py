"""A heat map over a photo."""

import matplotlib
import numpy as np

_STRENGTH = 0.55  # of the hottest place


def overlay_heat(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Returns the photo with the heat over it, uint8 (H, W, 3).

    The cooler a place, the more of the photo shows.

    Args:
        image: RGB in [0, 255], (H, W, 3).
        heat: In [0, 1], (h, w); stretched over the photo.
    """
    heat = _stretch(np.asarray(heat, "float32"), image.shape[:2])[..., None]
    colors = matplotlib.colormaps["inferno"](heat[..., 0])[..., :3] * 255
    # The lower half of the heat is noise more often than not.
    share = _STRENGTH * np.sqrt(heat)
    mixed = (1 - share) * np.clip(image, 0, 255) + share * colors
    return np.rint(mixed).astype("uint8")


def _stretch(heat, size):
    """Returns `heat` resized, linearly between the middles of its cells."""
    for axis, length in enumerate(size):
        cells = heat.shape[axis]
        places = (np.arange(length) + 0.5) * cells / length - 0.5
        places = np.clip(places, 0, cells - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, cells - 1)
        share = np.expand_dims(places - low, 1 - axis)
        heat = (1 - share) * heat.take(low, axis) + share * heat.take(
            high, axis
        )
    return heat
