"""TensorFlow functions whose weights are constants."""

import math
from collections.abc import Callable

import keras
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)
from tensorflow.python.grappler import tf_optimizer

# A graph is a protocol buffer, of 2 GB at most.
_MOST_BYTES = 1 << 30
# What folds BatchNormalization into the convolution before it.
_FOLDING = ("function", "constfold", "arithmetic", "constfold")


def make_function(model: keras.Model, batch_size: int) -> Callable:
    """Returns a model in inference mode as a function of a fixed batch size.

    Its weights are constants, so that TensorFlow folds BatchNormalization into
    the convolutions; those of a model above 1 GB stay variables.

    Args:
        model: Functional model.
        batch_size: B.

    Returns:
        `ConcreteFunction` from tensors for the model's inputs, float32 (B,
        ...), to a list of those of its outputs.
    """

    def compute(*tensors):
        # Of a model in half precision, inputs may be that.
        inputs = [
            tf.cast(tensor, x.dtype)
            for tensor, x in zip(tensors, model.inputs, strict=True)
        ]
        return keras.tree.flatten(model(inputs, training=False))

    function = tf.function(
        compute,
        input_signature=[
            tf.TensorSpec((batch_size, *x.shape[1:]), "float32")
            for x in model.inputs
        ],
        autograph=False,
    ).get_concrete_function()
    if not can_be_constants(model):
        return function
    return convert_variables_to_constants_v2(function)


def can_be_constants(model: keras.Model) -> bool:
    """Returns whether the weights of a model take at most 1 GB."""
    sizes = (math.prod(x.shape) for x in model.weights)
    return 4 * sum(sizes) <= _MOST_BYTES


def in_bfloat16(function: tf.types.experimental.ConcreteFunction) -> Callable:
    """Returns a function of `make_function` whose products are bfloat16.

    Grappler's pass for oneDNN casts what gains by it and keeps the rest in
    float32, as do inputs and outputs. BatchNormalization is folded first:
    between two casts it could not be.

    Args:
        function: Of `make_function`, with constants.
    """
    graph = function.graph.as_graph_def()
    for optimizers in (_FOLDING, ("auto_mixed_precision_onednn_bfloat16",)):
        graph = _optimize(graph, function, optimizers)
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.import_graph_def(graph, name=""), []
    )
    return wrapped.prune(
        [x.name for x in function.inputs], [x.name for x in function.outputs]
    )


def _optimize(graph, function, optimizers):
    config = config_pb2.ConfigProto()
    options = config.graph_options.rewrite_options
    options.min_graph_nodes = -1  # small graphs, too
    options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    options.optimizers.extend(optimizers)
    options.auto_mixed_precision_onednn_bfloat16 = (
        rewriter_config_pb2.RewriterConfig.ON
    )
    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph, name="")
    meta_graph = tf.compat.v1.train.export_meta_graph(
        graph_def=graph, graph=imported
    )
    kept = meta_graph.collection_def["train_op"].node_list.value
    kept.extend(x.op.name for x in (*function.inputs, *function.outputs))
    return tf_optimizer.OptimizeGraph(config, meta_graph)
