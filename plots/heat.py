"""A heat map over a photo."""

import matplotlib
import numpy as np
from PIL import Image

_STRENGTH = 0.55  # of the hottest place


def overlay_heat(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Returns the photo with the heat over it, uint8 (H, W, 3).

    The cooler a place, the more of the photo shows.

    Args:
        image: RGB in [0, 255], (H, W, 3).
        heat: In [0, 1], (h, w); stretched over the photo.
    """
    height, width, _ = np.shape(image)
    heat = Image.fromarray(np.asarray(heat, "float32"))
    heat = np.asarray(heat.resize((width, height), Image.Resampling.BILINEAR))
    heat = heat[..., None].clip(0, 1)
    colors = matplotlib.colormaps["inferno"](heat[..., 0])[..., :3] * 255
    # The lower half of the heat is noise more often than not.
    share = _STRENGTH * np.sqrt(heat)
    mixed = (1 - share) * np.clip(image, 0, 255) + share * colors
    return np.rint(mixed).astype("uint8")
