"""Speed of each stage beside the peak of the processor.

    python -m benchmarks.floor --backbone=vgg16 --unfreeze_from=block5_conv1

Measures the peak of matrix products and of convolutions, counts the arithmetic
of the frozen and the trained part, and compares: the steps of
`benchmarks.step_time`, stock Keras's nested model among them, and where the
time of the trained part goes.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import math

from absl import app

from benchmarks import machine, step_time

_CONVOLUTIONS = [(112, 64), (56, 128), (28, 256), (18, 512), (9, 512)]


def main(_):
    import keras
    import numpy as np
    import tensorflow as tf

    print(machine.describe_machine())
    onednn = os.environ["TF_ENABLE_ONEDNN_OPTS"]
    print(f"TF_ENABLE_ONEDNN_OPTS={onednn}")
    repeats, batch_size = step_time.REPEATS.value, step_time.BATCH_SIZE.value
    matrix = tf.random.normal((2048, 2048))
    gemm = tf.function(lambda: tf.matmul(matrix, matrix))
    convolutions = [make_convolution(tf, batch_size, *s) for s in _CONVOLUTIONS]

    model, frozen, trained = step_time.build_parts()
    steps = step_time.step_functions(model, frozen, trained)
    nested = build_nested(
        keras, model, trained.layers[len(trained.inputs)].name
    )
    images = np.zeros((batch_size, *nested.input_shape[1:]), "float32")
    labels = np.zeros(batch_size, "float32")
    steps["stock Keras, nested, a step"] = lambda: nested.train_on_batch(
        images, labels
    )
    tensors = [
        tf.zeros((batch_size, *tensor.shape[1:])) for tensor in trained.inputs
    ]
    steps["trained part, forward"] = lambda: trained.predict_on_batch(tensors)
    steps["trained part, update"] = make_update(tf, keras, trained)

    functions = [gemm, *convolutions, *steps.values()]
    gemm_time, *times = machine.median_seconds(functions, repeats)
    convolution_rates = [
        2e-9 * batch_size * size**2 * 9 * channels**2 / time
        for (size, channels), time in zip(_CONVOLUTIONS, times, strict=False)
    ]
    peak = max(convolution_rates)
    print(f"matrix product: {2e-9 * 2048**3 / gemm_time:.0f} GFLOP/s")
    print(
        "3 x 3 convolutions: "
        + ", ".join(
            f"{rate:.0f} ({size} px, {channels})"
            for (size, channels), rate in zip(
                _CONVOLUTIONS, convolution_rates, strict=True
            )
        )
        + f"; peak {peak:.0f} GFLOP/s"
    )
    forward = {
        "frozen": sum(map(count_products, frozen.layers)),
        "trained": sum(map(count_products, trained.layers)),
    }
    # Backward: once more for the weights, and once for what goes in, but for
    # the layers that take the boundary.
    at_boundary = {id(tensor) for tensor in frozen.outputs}
    backward = sum(
        count_products(layer) * (1 if id(layer.input) in at_boundary else 2)
        for layer in trained.layers
        if layer.trainable_variables
    )
    step = forward["trained"] + backward
    products = [
        forward["frozen"],
        step,
        forward["frozen"] + step,
        forward["frozen"] + step,
        forward["trained"],
        None,
    ]
    rows = []
    step_times = dict(zip(steps, times[len(_CONVOLUTIONS) :], strict=True))
    for (name, time), count in zip(step_times.items(), products, strict=True):
        row = [name, f"{1e3 * time:.1f}", "", "", ""]
        if count is not None:
            gflop = 2e-9 * batch_size * count
            row[2:] = [
                f"{gflop:.1f}",
                f"{gflop / time:.0f}",
                f"{gflop / time / peak:.0%}",
            ]
        rows.append(row)
    machine.print_table(
        ["", "ms", "GFLOP", "GFLOP/s", "of the convolution peak"], rows
    )
    stock = step_times["stock Keras, nested, a step"]
    cached = step_times["trained part, a step"]
    print(f"stock step / cached step: {stock / cached:.2f}")


def make_convolution(tf, batch_size, size, channels):
    """Returns a function that runs one convolution with ReLU."""
    images = tf.random.normal((batch_size, size, size, channels))
    kernel = tf.random.normal((3, 3, channels, channels))
    return tf.function(
        lambda: tf.nn.relu(tf.nn.conv2d(images, kernel, 1, "SAME"))
    )


def build_nested(keras, model, first_trained):
    """Returns the model of the book: a base inside, frozen up to a layer."""
    size = model.get_layer("resize").height
    names = [layer.name for layer in model.layers]
    end = next(i for i, name in enumerate(names) if name.startswith("head_"))
    start = names.index("preprocess") + 1
    base_input = model.layers[start].input
    base = keras.Model(base_input, model.layers[end - 1].output)
    base = keras.models.clone_model(base)
    trainable = False
    for layer in base.layers:
        trainable = trainable or layer.name == first_trained
        layer.trainable = trainable
    head = [
        layer.__class__.from_config(layer.get_config())
        for layer in model.layers[end:]
    ]
    nested = keras.Sequential([keras.Input((size, size, 3)), base, *head])
    nested.compile(keras.optimizers.RMSprop(1e-5), loss=model.loss)
    return nested


def make_update(tf, keras, trained):
    """Returns a function that runs one update of RMSprop, gradients given."""
    optimizer = keras.optimizers.RMSprop(0.0)
    variables = trained.trainable_variables
    optimizer.build(variables)
    gradients = [tf.zeros(variable.shape) for variable in variables]
    return tf.function(lambda: optimizer.apply(gradients, variables))


def count_products(layer):
    """Returns the multiplications of a layer for one photo, forward."""
    import keras

    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel_height, kernel_width, channels, multiplier = layer.kernel.shape
        per_place = kernel_height * kernel_width * channels * multiplier
        return math.prod(layer.output.shape[1:3]) * per_place
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(
            layer.kernel.shape
        )
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    return 0


if __name__ == "__main__":
    app.run(main)
