"""Photos per second of each input path.

    python -m benchmarks.pipeline --data=cats_vs_dogs/train --image_size=224

On the photos of a folder of class folders: ImageDataGenerator; tf.data with
Keras's random layers; Thaw's views; and, for a boundary tensor of the given
shape, what Thaw reads back from its cache, beside the step that it feeds.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import tempfile

import numpy as np
from absl import app, flags

from benchmarks import machine, step_time, stock_recipes

DATA = flags.DEFINE_string("data", None, "Folder of class folders.")
PHOTOS = flags.DEFINE_integer("photos", 1000, "Photos per measurement.")
flags.mark_flag_as_required("data")


def main(_):
    import keras

    from augment import Affine
    from thaw.cli.app import keep_freed_memory
    from thaw.data.load import load_photos
    from thaw.data.views import PhotoViews

    keep_freed_memory()  # as train.py
    model, frozen, trained = step_time.build_parts()
    size = model.get_layer("resize").height
    batch_size = step_time.BATCH_SIZE.value
    photos = load_photos(DATA.value)[0]
    steps = min(PHOTOS.value, len(photos)) // batch_size
    rows = np.random.default_rng(0).permutation(len(photos))
    photos = photos.take(rows[: steps * batch_size])

    generator = iter(stock_recipes.classic_train(DATA.value, size, batch_size))
    layers = stock_recipes.augmented_ds(DATA.value, size, batch_size)
    run_through(layers)  # decodes and keeps them
    resize = keras.layers.Resizing(size, size)
    plain = PhotoViews(photos, resize, size)
    views = PhotoViews(photos, resize, size, seed=0, augment=Affine(seed=0))

    with tempfile.TemporaryDirectory() as folder:
        features = fill_cache(folder, trained, photos, views, batch_size)
        paths = {
            "ImageDataGenerator": lambda: [
                next(generator) for _ in range(steps)
            ],
            "tf.data, Keras's random layers": lambda: run_through(
                layers.take(steps)
            ),
            "Thaw, decoded and resized": lambda: run_through(
                plain.images(0, np.arange(len(photos)), batch_size)
            ),
            "Thaw, augmented": lambda: run_through(
                views.images(0, np.arange(len(photos)), batch_size)
            ),
            "Thaw, features from the cache": lambda: run_through(
                features.endless().take(steps)
            ),
        }
        step = step_time.step_functions(model, frozen, trained)[
            "trained part, a step"
        ]
        *seconds, step_seconds = machine.median_seconds(
            [*paths.values(), step], repeats=5
        )
    print(machine.describe_machine())
    machine.print_table(
        ["", "photos a second", "of ImageDataGenerator", "ms a batch"],
        [
            [
                name,
                f"{steps * batch_size / time:.0f}",
                f"{seconds[0] / time:.1f} x",
                f"{1e3 * time / steps:.2f}",
            ]
            for name, time in zip(paths, seconds, strict=True)
        ],
    )
    share = seconds[-1] / steps / step_seconds
    print(
        f"the step it feeds: {1e3 * step_seconds:.1f} ms; reading from the "
        f"cache takes {share:.1%} of that, beside it"
    )


def run_through(ds):
    """Makes all batches of a dataset."""
    for _ in ds:
        pass


def fill_cache(folder, trained, photos, views, batch_size):
    """Returns `Features` with made-up tensors of every photo in store."""
    from thaw.cache.features import Features
    from thaw.cache.folder import CacheFolder
    from thaw.cache.frozen_part import FrozenLayers, FrozenPart
    from thaw.cache.shards import FeatureCache

    shapes = [tensor.shape[1:] for tensor in trained.inputs]
    cache = FeatureCache(
        shapes,
        len(photos),
        num_views=1,
        dtype="float16",
        folder=CacheFolder(folder, limit_bytes=2**62),
        key="0" * 32,
    )
    rng = np.random.default_rng(0)
    for row in range(len(photos)):
        tensors = [rng.random((1, *shape), "float32") for shape in shapes]
        cache.append(
            0, np.array([row]), [tensor.astype("float16") for tensor in tensors]
        )
    cache.flush()
    layers = FrozenLayers(None, batch_size)  # nothing is computed
    return Features(FrozenPart(layers, []), [cache], views)


if __name__ == "__main__":
    app.run(main)
