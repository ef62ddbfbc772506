"""Datasets of photos: the views of a run, and those for `Model.fit`."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import augment
from model_zoo import preprocessing
from thaw.config import TrainConfig
from thaw.data.prepare import (
    Splits,
    find_photos,
    inspect_and_split,
    start_inspection,
)
from thaw.data.views import PhotoViews, without_autotuner
from thaw.options import options as options_of
from thaw.options import unknown_option

_SMALL_ROTATION = 10.0  # degrees, of `flip_rotate`


def image_datasets(
    data: str | Path,
    *,
    image_size: int,
    batch_size: int = 20,
    augment: str = "affine",
    validation_fraction: float = 0.2,
    seed: int = 0,
    validation_data: str | Path | None = None,
    **options: Any,
) -> tuple[tf.data.Dataset, tf.data.Dataset, tuple[str, ...]]:
    """Returns (train_ds, val_ds, class_names) for a `Model.fit` of your own.

    The photos, the split and the views are those of `fine_tune`; unreadable
    photos are skipped, with a warning. Each time
    that all of `train_ds` has been iterated, as in each epoch of `fit`, the
    next pass has another order and other views: those of pass p depend on
    `seed` and p alone.

    Args:
        data: Folder, table, archive or named set.
        image_size: Pixels a side.
        batch_size: Photos per batch, B; the last batch of a pass may be short.
        augment: Random views of the training photos: `affine`, `crop`,
            `presize`, `flip_rotate` or `none`.
        validation_fraction: Share of each class to validate on, in (0, 1),
            where `data` isn't split.
        seed: Seed of the split, the order and the views.
        validation_data: Photos to validate on, if not in `data`.
        **options: Other options of `fine_tune` that choose or read the photos:
            `label_regex`, `label_column`, `group_regex`, `pixel_range`, ...

    Returns:
        Two `tf.data.Dataset` of (images float32 (B, image_size, image_size,
        3), RGB in [0, 255]; labels int32 (B,)), and the names of the classes.

    Raises:
        UserError: If an option or the photos don't fit.

    Example:

    ```python
    import thaw

    train_ds, val_ds, class_names = thaw.image_datasets("demo", image_size=64)
    model = thaw.build_model(
        "vgg16_tiny", len(class_names), image_size=64, weights="auto"
    )
    model.fit(train_ds, validation_data=val_ds, epochs=2)
    ```
    """
    _check_are_of_photos(options)
    config = TrainConfig(
        **{"skip_bad": 1.0} | options,
        data=data,
        validation_data=validation_data,
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
        validation_fraction=validation_fraction,
        seed=seed,
        class_weights="balanced",  # uneven classes are a matter of `fit`
    )
    with start_inspection(find_photos(config), config) as inspect:
        splits = inspect_and_split(inspect, config)
    resize = preprocessing.resizing_layer(image_size, config.resize)
    views = make_views(config, splits, image_size, resize)
    train_ds, val_ds = (_make_ds(x, image_size, batch_size) for x in views)
    return train_ds, val_ds, splits.train.class_names


def _check_are_of_photos(names):
    """Refuses options of the training itself: here, `fit` is the user's."""
    known = options_of(TrainConfig)
    of_photos = [x for x, one in known.items() if one.section == "Data"]
    for name in names:
        if name not in of_photos:
            raise unknown_option(name, of_photos)


def make_views(
    config: TrainConfig, splits: Splits, image_size: int, resize: Callable
) -> tuple[PhotoViews, PhotoViews]:
    """Returns the views to train on and to validate on.

    Args:
        config: Options `augment`, those of `affine`, `resize` and `seed`.
        splits: Photos of both splits.
        image_size: Pixels a side.
        resize: Function from an image float32 (H, W, 3) to that size, for
            photos that aren't augmented.
    """
    val_views = PhotoViews(splits.validation, resize, image_size)
    augmentation = make_augmentation(config, image_size)
    if augmentation is not None:
        image_size = augmentation.source_size(image_size)
        resize = preprocessing.resizing_layer(image_size, config.resize)
    train_views = PhotoViews(
        splits.train,
        resize,
        image_size,
        seed=config.seed,
        augment=augmentation,
    )
    return train_views, val_views


def make_augmentation(config: TrainConfig, image_size: int) -> Any:
    """Returns the augmentation of the training photos, or None.

    Args:
        config: Options `augment`, those of `affine`, and `seed`.
        image_size: Pixels a side of the views.
    """
    if config.augment == "affine":
        fields = dataclasses.fields(augment.Affine)
        return augment.Affine(*(getattr(config, x.name) for x in fields))
    if config.augment == "flip":
        return augment.Affine(config.seed, 0.0, 0.0, 0.0, 0.0, 0.0)
    if config.augment == "flip_rotate":  # neither shift, shear nor zoom
        return augment.Affine(config.seed, _SMALL_ROTATION, 0.0, 0.0, 0.0, 0.0)
    kinds = {"crop": augment.Crop, "presize": augment.Presize}
    make = kinds.get(config.augment)
    return make and make(config.seed, image_size)


def _make_ds(views, image_size, batch_size):
    """Returns (images, labels) in batches, another pass each time."""
    num_batches = -(-len(views.photos) // batch_size)
    next_pass = 0

    def batches():
        nonlocal next_pass
        pass_index = next_pass
        order = views.order(pass_index)
        images_ds = views.images(pass_index, order, batch_size)
        for number, images in enumerate(images_ds.as_numpy_iterator(), 1):
            rows, order = np.split(order, [len(images)])
            if number == num_batches:  # Keras does not ask for the end
                next_pass = max(next_pass, pass_index + 1)
            yield images, views.labels[rows]

    ds = tf.data.Dataset.from_generator(
        batches,
        output_signature=(
            tf.TensorSpec((None, image_size, image_size, 3), "float32"),
            tf.TensorSpec((None,), "int32"),
        ),
    )
    return without_autotuner(
        ds.apply(tf.data.experimental.assert_cardinality(num_batches))
    )
