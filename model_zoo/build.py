"""build_model: a backbone, frozen up to a named layer, under a new head."""

import os
from collections.abc import Mapping

import keras

from model_zoo.backbones import SIMPLE
from model_zoo.base import build_base
from model_zoo.continued import continue_model
from model_zoo.head import build_head
from model_zoo.names import fresh_names
from model_zoo.own_model import find_own_model
from model_zoo.preprocessing import channels_last
from model_zoo.request import check_request
from model_zoo.tokens import num_prefix_tokens
from model_zoo.unfreeze import unfreeze
from thaw.errors import UserError

CLASSIC_LEARNING_RATE = 1e-5


def build_model(
    backbone: str = "vgg16",
    num_classes: int = 2,
    *,
    image_size: int | None = None,
    weights: str | None = "imagenet",
    preprocess: str = "auto",
    resize: str = "squash",
    unfreeze_from: str | None = None,
    cut_at: str | None = None,
    pooling: str = "auto",
    hidden_units: int = 256,
    dropout: float = 0.5,
    train_batch_norm: bool = False,
    class_counts: Mapping[str, int] | None = None,
) -> keras.Model:
    """Returns a compiled classifier that trains from `unfreeze_from` on.

    One flat functional model: resizing, preprocessing, base and head, all of
    Keras's own layers and operations. `model.get_layer("block5_conv1")` works,
    and so does plain `keras.saving.load_model` on what it saves.

    Args:
        backbone: Name in `BACKBONES`; path of a `.keras` file with a
            functional base, which also needs `preprocess`, `unfreeze_from`
            and, where it leaves the size open, `image_size`; `hub:` and the
            name or folder of a KerasHub preset, which needs `unfreeze_from`;
            or a run folder or its model.keras, to go on from that model: its
            size, preprocessing and, without `cut_at`, its head stay.
        num_classes: Number of classes, >= 2.
        image_size: Pixels a side to which photos are resized; None: the
            backbone's own (150 for vgg16).
        weights: `imagenet` (from Keras's cache, or downloaded), `auto` (the
            embedded ones for vgg16_tiny, random for simple_cnn, else
            `imagenet`), `none` or None (random), or the path of a `.h5` file.
            A `.keras` file brings its own with `imagenet` and `auto`.
        preprocess: `auto` (what the backbone was trained with), `caffe`,
            `torch`, `tf`, `rescale`, `mnist` or `none`.
        resize: `squash`, `crop`, `center` or `pad`.
        unfreeze_from: Name of a base layer, `none` (only the head trains) or
            `all`; None: the start of the backbone's last block.
        cut_at: Name of the layer the base ends with; None: all of it. `fc1`
            and `fc2` of VGG16 keep its classifier up to there.
        pooling: `flatten`, `avg`, `max` or `auto` (`flatten` for VGG, `avg`
            for the rest); for the tokens of a transformer `cls`, `avg` of the
            patches, `both` or `auto` (`cls`, where there is a class token).
        hidden_units: Width of the head's hidden Dense layer; 0: none.
        dropout: Share of hidden units dropped in training, in [0, 1).
        train_batch_norm: Whether BatchNormalization after the unfreeze point
            trains; all of it is frozen otherwise.
        class_counts: For a model to go on from: number of training photos of
            each class, by name, in the order of the outputs
            (`model_zoo.continued`); None: its own classes.

    Returns:
        A `keras.Model` from float32 or uint8 (B, any H, any W, 3), RGB in
        [0, 255], to float32 (B, 1), the probability of class 1, for two
        classes and to (B, num_classes) for more. Compiled with RMSprop at
        1e-5, binary or sparse categorical cross-entropy, and accuracy; labels
        are integers (B,).

    Raises:
        UserError: A `ValueError`, if an argument is unknown, out of bounds or
            doesn't fit the others, or weights can't be loaded.

    Example:

    ```python
    import numpy as np
    from model_zoo import build_model

    photos = np.random.randint(0, 256, (8, 200, 300, 3), "uint8")
    labels = np.array([0, 1] * 4)
    model = build_model(
        "vgg16_tiny", weights="auto", unfreeze_from="block5_conv1"
    )
    model.fit(photos, labels, epochs=2)
    model.save("cats_vs_dogs.keras")
    ```
    """
    backbone = os.fspath(backbone)
    weights = "none" if weights is None else str(weights)
    start = check_request(
        backbone, image_size, weights, preprocess, unfreeze_from, cut_at
    )
    own = find_own_model(backbone)
    name = backbone if own is None else own.name
    with channels_last(), fresh_names():
        if own is not None and cut_at is None:
            model = _continue(own, num_classes, class_counts)
        else:
            base = build_base(
                backbone,
                image_size=image_size,
                weights=weights,
                preprocess=preprocess,
                resize=resize,
                unfreeze_from=start,
                cut_at=cut_at,
            )
            outputs = build_head(
                base.output,
                num_classes,
                pooling=pooling,
                flatten_by_default=name.startswith(("vgg", SIMPLE)),
                num_prefix_tokens=num_prefix_tokens(base),
                hidden_units=hidden_units,
                dropout=dropout,
            )
            model = keras.Model(base.input, outputs, name=base.name)
        names = [layer.name for layer in model.layers]
        if unfreeze_from is None and start not in names:
            raise UserError(
                f"`cut_at={cut_at}` ends {backbone} before its last block. "
                "Give `unfreeze_from`, too: an earlier layer, none or all."
            )
        unfreeze(model, start, train_batch_norm)
        model.compile(
            optimizer=keras.optimizers.RMSprop(CLASSIC_LEARNING_RATE),
            loss="binary_crossentropy"
            if num_classes == 2
            else "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    return model


def _continue(own, num_classes, class_counts):
    if class_counts is None:
        class_counts = dict.fromkeys(own.class_names, 1)
    if len(class_counts) != num_classes:
        raise UserError(
            f"Continuing from {own.path}: expected "
            f"`num_classes={len(class_counts)}`, for "
            f"{', '.join([*class_counts][:5])}. Received: {num_classes}. "
            "Other classes are given as `class_counts`."
        )
    return continue_model(own, dict(class_counts))
