"""Pretrains `vgg16_tiny` on drawn things and writes its embedded weights.

    python -m pretraining.pretrain_vgg16_tiny

The source task has 20 classes, none of them a cat or a dog, so what the demo
shows is a real transfer. About 6 minutes on 2 CPU cores. The weights are
stored as float16, which halves the file; Keras casts them back when loading.
"""

import keras
import tensorflow as tf

from model_zoo.backbones import BACKBONES
from model_zoo.preprocessing import preprocess
from model_zoo.vgg16_tiny import VGG16Tiny
from model_zoo.weights import EMBEDDED_VGG16_TINY
from pretraining.things import THINGS, draw_source_photos

VGG16_TINY = BACKBONES["vgg16_tiny"]
IMAGE_SIZE = VGG16_TINY.image_size
TRAIN_PER_CLASS, VALIDATION_PER_CLASS = 400, 40
EPOCHS, BATCH_SIZE, PEAK_LEARNING_RATE = 16, 64, 1e-3
SEED = 1


def build_classifier():
    """Returns (classifier, base): the tiny VGG16 under a linear classifier."""
    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    base = VGG16Tiny(input_tensor=preprocess(image, VGG16_TINY.preprocess))
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(image, keras.layers.Dense(len(THINGS))(x)), base


def make_train_ds(photos, labels):
    """Returns shuffled batches, each photo mirrored half of the time."""
    ds = tf.data.Dataset.from_tensor_slices((photos, labels))
    ds = ds.shuffle(len(photos), seed=SEED).map(
        lambda photo, label: (
            tf.image.random_flip_left_right(tf.cast(photo, "float32")),
            label,
        )
    )
    return ds.batch(BATCH_SIZE, drop_remainder=True).prefetch(2)


def save_float16(base, path):
    """Writes the weights of `base` as a float16 `.weights.h5` file."""
    keras.config.set_dtype_policy("float16")
    half = VGG16Tiny()
    half.set_weights(base.get_weights())
    half.save_weights(path)


def main():
    photos, labels = draw_source_photos(TRAIN_PER_CLASS, IMAGE_SIZE, seed=1)
    validation = draw_source_photos(VALIDATION_PER_CLASS, IMAGE_SIZE, seed=2)
    keras.utils.set_random_seed(SEED)
    classifier, base = build_classifier()
    steps = len(photos) // BATCH_SIZE
    classifier.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                0.0,
                (EPOCHS - 1) * steps,
                warmup_target=PEAK_LEARNING_RATE,
                warmup_steps=steps,
            )
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    classifier.fit(
        make_train_ds(photos, labels),
        epochs=EPOCHS,
        validation_data=validation,
        verbose=2,
    )
    save_float16(base, EMBEDDED_VGG16_TINY)


if __name__ == "__main__":
    main()
