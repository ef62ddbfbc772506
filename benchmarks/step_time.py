"""Time of the frozen part, the trained part and a whole step.

    KERAS_BACKEND=jax python -m benchmarks.step_time --backbone=vgg16

On any Keras backend, with made-up photos and random weights, so that it also
runs where there is no TensorFlow and nothing to download. The whole step is
stock Keras's: the same layers frozen, nothing cached. Medians, in turns.
"""

import numpy as np
from absl import app, flags

from benchmarks import machine

BACKBONE = flags.DEFINE_string("backbone", "vgg16", "As in train.py.")
PREPROCESS = flags.DEFINE_string("preprocess", "auto", "As in train.py.")
UNFREEZE_FROM = flags.DEFINE_string("unfreeze_from", None, "As in train.py.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", None, "As in train.py.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 20, "Photos per step.")
PRECISION = flags.DEFINE_string("precision", "float32", "Dtype policy.")
REPEATS = flags.DEFINE_integer("repeats", 15, "Times each is measured.")


def main(_):
    model, frozen, trained = build_parts()
    inputs = len(trained.inputs)
    functions = step_functions(model, frozen, trained)
    seconds = machine.median_seconds(list(functions.values()), REPEATS.value)
    print(machine.describe_machine())
    print(
        f"{BACKBONE.value}, {model.get_layer('resize').height} px, batch "
        f"{BATCH_SIZE.value}, {PRECISION.value}, "
        f"from {trained.layers[inputs].name}"
    )
    whole = dict(zip(functions, seconds, strict=True))["whole step"]
    machine.print_table(
        ["", "ms", "photos a second", "whole step is so many times as long"],
        [
            [
                name,
                f"{1e3 * time:.1f}",
                f"{BATCH_SIZE.value / time:.0f}",
                f"{whole / time:.2f}",
            ]
            for name, time in zip(functions, seconds, strict=True)
        ],
    )


def build_parts():
    """Returns the whole model and its frozen and trained part, compiled."""
    import keras

    from model_zoo import build_model
    from model_zoo.backbones import is_file, is_hub
    from model_zoo.boundary import split
    from model_zoo.request import check_request
    from model_zoo.unfreeze import first_trained_layer

    keras.config.set_dtype_policy(PRECISION.value)
    with_weights = is_file(BACKBONE.value) or is_hub(BACKBONE.value)
    weights = "auto" if with_weights else "none"
    given = {
        "image_size": IMAGE_SIZE.value,
        "weights": weights,
        "preprocess": PREPROCESS.value,
        "unfreeze_from": UNFREEZE_FROM.value,
    }
    point = check_request(BACKBONE.value, cut_at=None, **given)
    model = build_model(BACKBONE.value, **given)
    frozen, trained = split(model, first_trained_layer(model, point))
    for part in (model, trained):
        part.compile(keras.optimizers.RMSprop(1e-5), loss=model.loss)
    return model, frozen, trained


def step_functions(model, frozen, trained):
    """Returns what is measured, by name: functions without arguments."""
    import keras

    size = model.get_layer("resize").height
    rng = np.random.default_rng(0)
    shape = (BATCH_SIZE.value, size, size, 3)
    images = rng.uniform(0, 255, shape).astype("float32")
    labels = rng.integers(0, 2, BATCH_SIZE.value).astype("float32")
    tensors = keras.tree.flatten(frozen.predict_on_batch(images))
    # On the device before the clock starts.
    images, labels, *tensors = map(
        keras.ops.convert_to_tensor, [images, labels, *tensors]
    )
    return {
        "frozen part": lambda: frozen.predict_on_batch(images),
        "trained part, a step": lambda: trained.train_on_batch(tensors, labels),
        "whole step": lambda: model.train_on_batch(images, labels),
    }


if __name__ == "__main__":
    app.run(main)
