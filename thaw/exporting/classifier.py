"""The model that is exported: one output per class, in float32."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from model_zoo.unfreeze import containers, leaf_layers

INPUT, OUTPUT = "image", "probabilities"  # names in every format


def build_classifier(model: keras.Model) -> keras.Model:
    """Returns `model` with the output `probabilities`, one column per class.

    A sigmoid unit becomes two columns, so that the index of the largest is the
    line in labels.txt, whatever the number of classes. Layers that compute in
    half precision, which converters do not know, compute in float32.

    Args:
        model: Model of a run folder, from raw RGB, float32 (B, H, W, 3); its
            layers are changed in place: tensors become arrays.
    """
    if not is_float32(model):
        model = _in_float32(model)
    for layer in model._flatten_layers():
        # Such as of Normalization, and positions of transformers.
        for name, value in list(vars(layer).items()):
            if isinstance(value, tf.Tensor):
                # As constants of the graph: tf2onnx takes tensors for inputs.
                setattr(layer, name, np.array(value))
    output = model.output
    if output.shape[1] == 1:
        output = keras.ops.concatenate([1 - output, output], axis=-1)
    return keras.Model(model.inputs[0], {OUTPUT: output})


def is_float32(model: keras.Model) -> bool:
    """Returns whether all layers compute in float32."""
    return all(layer.compute_dtype == "float32" for layer in leaf_layers(model))


def keras_runner(classifier: keras.Model) -> Callable:
    """Returns a function that runs a model of `build_classifier` in Keras."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
    def run(image):
        return classifier(image, training=False)[OUTPUT]

    return lambda photo: run(photo).numpy()


def _in_float32(model):
    layers = [*leaf_layers(model), *containers(model)]
    policies = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = "float32"
        exact = keras.models.clone_model(model)
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy
    for layer, trained in zip(exact.layers, model.layers, strict=True):
        layer.set_weights(trained.get_weights())
    for layer in leaf_layers(exact):
        # Normalization computes with copies of its weights.
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return exact


def labels_text(class_names: Sequence[str]) -> str:
    """Returns the content of labels.txt: one class per line, by index."""
    # A name of several lines would move all that follow.
    lines = (" ".join(name.splitlines()) for name in class_names)
    return "".join(f"{line}\n" for line in lines)
