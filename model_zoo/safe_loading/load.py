"""Safe loading of untrusted `.keras` files.

First the archive is checked (`archive`), then what the model is made of
(`allowlist`), then the file of its weights (`hdf5`). Then Keras builds the
model without memory for its weights, and what these would take is compared
with what the file holds: a small file can't ask for gigabytes. Only then does
Keras open it.
"""

import copy
import io
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras

from model_zoo.hub_configs import complete_configs
from model_zoo.layer_names import HEAD_PREFIX
from model_zoo.safe_loading.allowlist import check_config
from model_zoo.safe_loading.archive import read_config, read_weights
from model_zoo.safe_loading.by_name import BACKBONE_WANTED
from model_zoo.safe_loading.hdf5 import check_weights
from thaw.errors import UserError, first_line

# Numbers that one layer makes of one photo: 2 GiB. Those of VGG16 take as much
# at 2,896 pixels a side; what can be trained here has to open.
_MOST_OUTPUTS = 1 << 29


def load_model(path: str | Path, wanted: str = BACKBONE_WANTED) -> keras.Model:
    """Returns the model in a `.keras` file, uncompiled, once it is checked.

    Args:
        path: Path of the file; anyone may have made it.
        wanted: What is expected, for the message.

    Raises:
        UserError: If it is refused, or damaged.
    """
    check_model_file(path, wanted)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise _not_opened(path, error, wanted) from error
    complete_configs(model)
    return model


def check_model_file(path: str | Path, wanted: str = BACKBONE_WANTED) -> None:
    """Raises a `UserError` unless Keras may open a file; arguments as above."""
    config = read_config(path, wanted)
    num_used = check_config(config, str(path))
    held = check_weights(
        io.BytesIO(read_weights(path, wanted)), f"model.weights.h5 in {path}"
    )
    config["compile_config"] = None
    try:
        model = build_without_memory(
            lambda: keras.saving.deserialize_keras_object(
                copy.deepcopy(config), safe_mode=True
            )
        )
    # Whatever Keras stumbles over in a file that no Keras has written.
    except Exception as error:
        raise _not_opened(path, error, wanted) from error
    if _num_operations(model) != num_used:
        raise UserError(
            f"{path} is refused: it has layers that its model does not use."
        )
    check_claims(model, held, str(path))


def build_without_memory(build) -> keras.Model:
    """Returns what `build()` returns, with weights that have shapes only.

    In a thread of its own, because Keras keeps for each thread a list of the
    variables that it has still to initialize.
    """

    def build_in_scope():
        with keras.StatelessScope(initialize_variables=False):
            return build()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build_in_scope).result()


def check_claims(model: keras.Model, held: int, name: str) -> None:
    """Raises a `UserError` if a model asks for more than its file holds.

    Args:
        model: The model, perhaps without memory.
        held: How many numbers the file of its weights holds.
        name: The file, for the message.
    """
    wanted = sum(math.prod(weight.shape) for weight in model.weights)
    if wanted > held:
        raise UserError(
            f"{name} is refused: its layers ask for {wanted:,} weights, and "
            f"its file of weights holds {held:,}."
        )
    check_outputs(model, name)


def check_outputs(model: keras.Model, name: str) -> None:
    """Raises a `UserError` if a layer makes a monster of one photo.

    Sizes that are open until there is a photo count as 1.

    Args:
        model: Functional or sequential model.
        name: The file, for the message.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            check_outputs(layer, name)
    for shape in _output_shapes(model):
        size = math.prod(x for x in shape[1:] if x is not None)
        if size > _MOST_OUTPUTS:
            raise UserError(
                f"{name} is refused: one of its layers makes {size:,} numbers "
                "of one photo."
            )


def check_whole_model(model: keras.Model, name: str) -> int:
    """Returns how many classes a model tells apart that train.py has left.

    Args:
        model: Any model.
        name: Its file, for the message.

    Raises:
        UserError: If it is not such a model: raw photos of any size in, made
            square by a layer `resize`, probabilities out.
    """
    *_, last = model.layers
    steps = [x for x in model.layers if x.name in ("presize", "resize")]
    resizing = (keras.layers.Resizing, keras.layers.CenterCrop)
    if (
        len(model.inputs) != 1
        or len(model.outputs) != 1
        or model.inputs[0].shape[1:] != (None, None, 3)
        or "resize" not in [step.name for step in steps]
        or not all(isinstance(step, resizing) for step in steps)
        or not isinstance(last, keras.layers.Dense)
        or not last.name.startswith(HEAD_PREFIX)
        or not last.use_bias
        or model.outputs[0] is not last.output
        or any(None in shape[1:] for shape in _output_shapes(model))
    ):
        raise UserError(
            f"{name} is not a model saved by train.py: photos of any size, a "
            "layer `resize`, the base, a head with one bias for each class."
        )
    return max(last.units, 2)


def _output_shapes(model):
    """Yields the shapes of what the layers make of a photo."""
    for operation in getattr(model, "operations", model.layers):
        if not isinstance(operation, keras.layers.InputLayer):
            # A layer that is called several times has several outputs.
            for node in operation._inbound_nodes:
                yield from (tensor.shape for tensor in node.output_tensors)


def _num_operations(model):
    """Returns the number of layers of all functional models in a model."""
    inner = sum(
        _num_operations(layer)
        for layer in model.layers
        if isinstance(layer, keras.Model)
    )
    if isinstance(model, keras.Sequential):
        return inner
    return inner + len(model.operations)


def _not_opened(path, error, wanted):
    return UserError(
        f"Cannot open {path} as a Keras model: {first_line(error)} Is the "
        f"file complete? Expected {wanted}, of Keras's own layers."
    )
