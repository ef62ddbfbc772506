"""Speed of the backbones on this CPU: the table behind --list_backbones.

    python -m benchmarks.backbones mobilenetv2 efficientnetv2b0 vgg16

Photos a second through the whole base, at its native size, with random
weights, by TensorFlow in float32 and by what `frozen_runtime=auto` may take,
OpenVINO in bfloat16. Medians, in turns.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from absl import app, flags

from benchmarks import machine

BATCH_SIZE = flags.DEFINE_integer("batch_size", 16, "Photos at a time.")
REPEATS = flags.DEFINE_integer("repeats", 5, "Times each is measured.")


def main(argv):
    from model_zoo.backbone_table import read_measured

    print(machine.describe_machine())
    table = read_measured()
    rows = []
    for name in argv[1:] or table:
        row = table[name]
        slow, fast = photos_a_second(name, int(row["pixels"]))
        rows.append([name, row["imagenet_top1"], f"{slow:.1f}", f"{fast:.1f}"])
        print(*rows[-1], flush=True)
    header = ["", "top-1", "TensorFlow, float32", "OpenVINO, bfloat16"]
    machine.print_table(header, rows)


def photos_a_second(name, pixels):
    """Returns how many photos each of both runtimes takes a second."""
    import keras
    import tensorflow as tf

    from model_zoo import build_model
    from model_zoo.unfreeze import base_layers
    from thaw.cache.frozen_part import FrozenLayers
    from thaw.cache.openvino_runtime import AT_A_TIME
    from thaw.cache.runtime import BFLOAT16, DEFAULT_RUNTIME, OPENVINO, Runtime

    model = build_model(name, weights="none", image_size=pixels)
    layers = FrozenLayers(model, BATCH_SIZE.value)
    features = [base_layers(model)[-1].output]
    photos = np.random.default_rng(0).uniform(
        0, 255, (BATCH_SIZE.value, pixels, pixels, 3)
    )
    photos = tf.constant(photos, "float32")
    functions = [
        layers.function(None, features, runtime)
        for runtime in (DEFAULT_RUNTIME, Runtime(OPENVINO, BFLOAT16))
    ]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        seconds = machine.median_seconds(
            [
                lambda x=x: list(pool.map(x, [photos] * AT_A_TIME))
                for x in functions
            ],
            REPEATS.value,
        )
    keras.backend.clear_session()
    return [AT_A_TIME * BATCH_SIZE.value / time for time in seconds]


if __name__ == "__main__":
    app.run(main)
