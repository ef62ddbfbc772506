import gc
import signal

import numpy as np
import tensorflow as tf

from thaw.cache import frozen_graph, openvino_runtime
from thaw.exporting import openvino


def test_signals_are_delivered_after_functions_are_gone():
    """Two `Core` objects of OpenVINO would leave a freed signal stack."""
    model = tf.keras.Sequential(
        [tf.keras.Input((4,)), tf.keras.layers.Dense(2)]
    )
    function = frozen_graph.make_function(model, batch_size=3)
    some, others = (
        openvino_runtime.compile_function(function, "float32") for _ in range(2)
    )
    images = np.ones((3, 4), "float32")
    np.testing.assert_array_equal(some(images), others(images))
    del some
    gc.collect()
    del others
    gc.collect()
    received = []
    before = signal.signal(
        signal.SIGUSR1, lambda number, frame: received.append(number)
    )
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert received == [signal.SIGUSR1]
    assert openvino.core() is openvino_runtime.core()
