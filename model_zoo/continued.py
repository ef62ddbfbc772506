"""The model of a finished run, opened to continue training."""

import keras
import numpy as np

from model_zoo.hub_configs import check_precision, complete_configs
from model_zoo.layer_names import OUTPUT
from model_zoo.names import reserve_names
from model_zoo.own_model import OwnModel, kept_columns
from model_zoo.safe_loading.by_name import MODEL_WANTED
from model_zoo.safe_loading.load import check_whole_model, load_model
from model_zoo.unfreeze import leaf_layers
from thaw.errors import UserError

_FIXED = ("image", "presize", "resize", "preprocess", OUTPUT)  # float32


def continue_model(own: OwnModel, class_counts: dict[str, int]) -> keras.Model:
    """Returns the model of a run, its head fitted to other classes.

    The rows of the last layer stay for classes of the same name (NFC), those
    of other classes go, and rows for new classes are zero. Their bias is
    log(n / N) + logsumexp(b): n photos of the class, N of all the classes that
    stay, and b their biases. So, where the features say nothing, the softmax
    gives a new class its share of the photos, and the probabilities of the
    others relative to each other are those of the model, on every photo.

    One sigmoid unit counts as the two rows (0, w), and two rows become the
    sigmoid of their difference, which are the same probabilities.

    Args:
        own: The model, with its `path`.
        class_counts: Number of photos of each class to train on, by name, in
            the order of the outputs.

    Raises:
        UserError: If the file is refused, damaged or not of a run.
    """
    model = open_model(own)
    last = model.layers[-1]
    kernel, bias = last.get_weights()
    kernel, bias = fit_rows(kernel, bias, own.class_names, class_counts)
    output = keras.layers.Dense(
        len(bias),
        activation="sigmoid" if len(bias) == 1 else "softmax",
        name=OUTPUT,
        dtype="float32",
    )
    continued = keras.Model(model.input, output(last.input), name=model.name)
    output.set_weights([kernel, bias])
    return continued


def fit_rows(
    kernel: np.ndarray,
    bias: np.ndarray,
    before: tuple[str, ...],
    class_counts: dict[str, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns kernel and bias for other classes, as `continue_model` says.

    Args:
        kernel: float32 (D, 1) of a sigmoid, or (D, K) of a softmax.
        bias: float32 (1,) or (K,).
        before: Names of the classes, (2,) or (K,).
        class_counts: As of `continue_model`.

    Returns:
        float32 (D, 1) and (1,) for two classes, else (D, K) and (K,).
    """
    if len(bias) == 1:
        kernel, bias = np.pad(kernel, [(0, 0), (1, 0)]), np.pad(bias, (1, 0))
    columns = kept_columns(before, class_counts)
    kept = np.array([column is not None for column in columns])
    columns = [column for column in columns if column is not None]
    counts = np.maximum([*class_counts.values()], 1.0)
    level = -np.log(counts.sum())
    if columns:
        level = np.logaddexp.reduce(bias[columns]) - np.log(counts[kept].sum())
    rows = np.zeros((len(kernel), len(counts)), "float32")
    biases = (np.log(counts) + level).astype("float32")
    rows[:, kept], biases[kept] = kernel[:, columns], bias[columns]
    if len(counts) == 2:
        return rows[:, 1:] - rows[:, :1], biases[1:] - biases[:1]
    return rows, biases


def open_model(own: OwnModel) -> keras.Model:
    """Returns the model of a run, in the dtype policy of now.

    Args:
        own: The model, with its `path`.

    Raises:
        UserError: If the file is refused, damaged or not of a run.
    """
    source = load_model(own.path, MODEL_WANTED)
    check_whole_model(source, own.path)
    last = source.layers[-1]
    activation = "sigmoid" if last.units == 1 else "softmax"
    if last.activation is not keras.activations.get(activation):
        raise UserError(
            f"{own.path} is not a model saved by train.py: its last layer has "
            f"no {activation}."
        )
    check_precision(source, own.path)
    reserve_names(operation.name for operation in source.operations)
    for layer in leaf_layers(source):
        if layer.name not in _FIXED:
            # Saved with that of its run; not what was asked for now.
            layer.dtype_policy = keras.config.dtype_policy()
    image, output = source.inputs[0], source.outputs[0]
    plain = keras.Model(image, output, name=source.name)
    model = keras.models.clone_model(plain)
    model.set_weights(source.get_weights())
    for layer in leaf_layers(model):
        # Normalization computes with copies of its weights.
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    complete_configs(model)
    return model
