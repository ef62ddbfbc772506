"""The classic recipe in stock Keras, twice; run by `benchmarks.peers`.

Prints one line of JSON per epoch: seconds, val_loss, val_accuracy.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Options of both recipes, as the flags of train.py."""

    data: str
    base: str
    preprocess: str
    image_size: int
    unfreeze_from: str
    epochs: int
    head_epochs: int
    seed: int
    batch_size: int = 20

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


def classic_train(folder, image_size, batch_size, preprocess=None, seed=0):
    """Returns the classic batches: ImageDataGenerator's."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator(
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
        preprocessing_function=preprocess,
    ).flow_from_directory(
        folder,
        target_size=(image_size, image_size),
        batch_size=batch_size,
        class_mode="binary",
        seed=seed,
    )


def augmented_ds(folder, image_size, batch_size, seed=0):
    """Returns photos decoded once, with Keras's random layers in `map`."""
    import keras
    import tensorflow as tf
    from keras import layers

    augment = keras.Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomRotation(40 / 360, "nearest", seed=seed),
            layers.RandomTranslation(0.2, 0.2, "nearest", seed=seed),
            layers.RandomShear(0.0035, 0.0035, seed=seed),  # 0.2 degrees
            layers.RandomZoom(0.2, 0.2, "nearest", seed=seed),
        ]
    )
    ds = keras.utils.image_dataset_from_directory(
        folder,
        label_mode="binary",
        image_size=(image_size, image_size),
        batch_size=batch_size,
        shuffle=False,
    )
    num_photos = len(ds.file_paths)
    ds = ds.unbatch().apply(tf.data.experimental.assert_cardinality(num_photos))
    ds = ds.cache().shuffle(num_photos, seed=seed).batch(batch_size)
    ds = ds.map(
        lambda x, y: (augment(x, training=True), y),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return ds.prefetch(tf.data.AUTOTUNE)


def train_classic(args):
    """Trains head and block at once, after Chollet 2017, section 5.3."""
    import keras
    from keras.applications import imagenet_utils
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    def preprocess(image):
        return imagenet_utils.preprocess_input(
            image, data_format="channels_last", mode=args.preprocess
        )

    train = classic_train(
        Path(args.data) / "train",
        args.image_size,
        args.batch_size,
        preprocess,
        args.seed,
    )
    validation = ImageDataGenerator(
        preprocessing_function=preprocess
    ).flow_from_directory(
        Path(args.data) / "validation",
        target_size=(args.image_size, args.image_size),
        batch_size=args.batch_size,
        class_mode="binary",
        shuffle=False,
    )
    base = keras.saving.load_model(args.base)
    model = keras.Sequential(
        [
            keras.Input((args.image_size, args.image_size, 3)),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    freeze_up_to(base, args.unfreeze_from)
    fit(model, 1e-5, train, validation, args.epochs)


def train_stronger(args):
    """As in the Keras guide "Transfer learning & fine-tuning"."""
    import keras
    import tensorflow as tf
    from keras import layers
    from keras.applications import imagenet_utils

    train = augmented_ds(
        Path(args.data) / "train", args.image_size, args.batch_size, args.seed
    )
    validation = keras.utils.image_dataset_from_directory(
        Path(args.data) / "validation",
        label_mode="binary",
        image_size=(args.image_size, args.image_size),
        batch_size=args.batch_size,
        shuffle=False,
    )
    validation = validation.cache().prefetch(tf.data.AUTOTUNE)

    base = keras.saving.load_model(args.base)
    base.trainable = False
    inputs = keras.Input((args.image_size, args.image_size, 3))
    x = imagenet_utils.preprocess_input(
        inputs, data_format="channels_last", mode=args.preprocess
    )
    x = base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    fit(model, 1e-3, train, validation, args.head_epochs)
    freeze_up_to(base, args.unfreeze_from)
    fit(model, 1e-5, train, validation, args.epochs - args.head_epochs)


def freeze_up_to(base, layer_name):
    """Freezes every layer of `base` before the named one."""
    base.trainable = True
    trainable = False
    for layer in base.layers:
        trainable = trainable or layer.name == layer_name
        layer.trainable = trainable


def fit(model, learning_rate, train, validation, epochs):
    """Trains, and prints a line per epoch."""
    import keras

    class PrintEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            row = {key: logs[key] for key in ("val_loss", "val_accuracy")}
            row["seconds"] = time.perf_counter() - self.start
            print(json.dumps(row))

    model.compile(
        keras.optimizers.RMSprop(learning_rate),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        train,
        epochs=epochs,
        validation_data=validation,
        callbacks=[PrintEpoch()],
        verbose=0,
    )


if __name__ == "__main__":
    recipe, given = sys.argv[1:]
    arguments = Arguments(**json.loads(given))
    import keras

    keras.utils.set_random_seed(arguments.seed)
    {"classic": train_classic, "stronger": train_stronger}[recipe](arguments)
