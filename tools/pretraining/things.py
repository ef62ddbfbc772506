"""The source task: 28 kinds of drawn things, none of them a cat or a dog."""

import numpy as np

from thaw.demo import drawing
from tools.pretraining import animals, objects

THINGS = {
    name.removeprefix("draw_"): function
    for module in (animals, objects)
    for name, function in sorted(vars(module).items())
    if name.startswith("draw_")
}


def draw_source_photos(photos_per_class, size, seed):
    """Returns photos of every kind of thing, and their labels.

    Args:
        photos_per_class: How many of each kind.
        size: Width and height in pixels.
        seed: Other seeds, other photos.

    Returns:
        photos, uint8 (N, size, size, 3), and labels, int32 (N,).
    """
    photos, labels = [], []
    for label, draw in enumerate(THINGS.values()):
        for number in range(photos_per_class):
            rng = np.random.default_rng([seed, label, number])
            photos.append(
                np.asarray(drawing.draw_photo(rng, draw, (size, size)))
            )
            labels.append(label)
    return np.stack(photos), np.array(labels, dtype="int32")
