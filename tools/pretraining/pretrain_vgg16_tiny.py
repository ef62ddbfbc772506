"""Pretrains `vgg16_tiny` on drawn things and writes its embedded weights.

    python -m tools.pretraining.pretrain_vgg16_tiny

The source task has 28 classes, none of them a cat or a dog, so what the demo
shows is a real transfer. About half an hour on 2 CPU cores. The weights are
stored as float16, which halves the file; Keras casts them back when loading.
"""

import keras
import numpy as np

from augment import Affine
from model_zoo.backbones import BACKBONES
from model_zoo.preprocessing import preprocess
from model_zoo.vgg16_tiny import VGG16Tiny
from model_zoo.weights import EMBEDDED_VGG16_TINY
from tools.pretraining.things import THINGS, draw_source_photos

VGG16_TINY = BACKBONES["vgg16_tiny"]
IMAGE_SIZE = VGG16_TINY.image_size
TRAIN_PER_CLASS, VALIDATION_PER_CLASS = 500, 30
EPOCHS, BATCH_SIZE, PEAK_LEARNING_RATE = 16, 64, 3e-3
SEED = 1


def build_classifier():
    """Returns the tiny VGG16 with BatchNormalization under a linear classifier.

    A chain of 13 convolutions trains far better when each is normalised; the
    normalisation is folded into the convolutions afterwards.
    """

    def call(layer, *args, **kwargs):
        x = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Conv2D):
            x = keras.layers.BatchNormalization(name=f"{layer.name}_bn")(x)
            x = keras.layers.ReLU()(x)
        return x

    def clone(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D):
            config["activation"] = None
        return layer.__class__.from_config(config)

    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    base = keras.models.clone_model(
        VGG16Tiny(input_tensor=preprocess(image, VGG16_TINY.preprocess)),
        clone_function=clone,
        call_function=call,
    )
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(base.inputs, keras.layers.Dense(len(THINGS))(x))


def fold_batch_norm(classifier):
    """Returns a `VGG16Tiny` with the weights of `classifier`, normalised."""
    base = VGG16Tiny()
    for layer in base.layers:
        if not layer.weights:
            continue
        kernel, bias = classifier.get_layer(layer.name).get_weights()
        norm = classifier.get_layer(f"{layer.name}_bn")
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        layer.set_weights([kernel * scale, (bias - mean) * scale + beta])
    return base


def make_train_ds(photos, labels):
    """Returns shuffled batches of augmented photos."""
    augment = Affine(seed=SEED, rotation_range=25)
    steps = len(photos) // BATCH_SIZE
    for epoch in range(EPOCHS):
        rows = np.arange(len(photos))
        matrices = augment.parameters(epoch, rows, (IMAGE_SIZE,) * 2)
        order = np.random.default_rng([SEED, epoch]).permutation(len(photos))
        for rows in np.split(order[: steps * BATCH_SIZE], steps):
            images = keras.ops.cast(photos[rows], "float32")
            yield augment(images, matrices[rows]), labels[rows]


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
    classifier = build_classifier()
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
        steps_per_epoch=steps,
        validation_data=validation,
        verbose=2,
    )
    save_float16(fold_batch_norm(classifier), EMBEDDED_VGG16_TINY)


if __name__ == "__main__":
    main()
