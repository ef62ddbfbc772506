"""Facts in the config.json of a `.keras` file, for which no Keras is needed."""

from collections.abc import Iterator
from typing import NamedTuple

from model_zoo.safe_loading.archive import read_config
from thaw.errors import UserError

_POOLING = {"Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"}
_PROBABILITIES = ("softmax", "sigmoid")
# A Rescaling by less takes raw pixels; that of a base that takes [0, 1] has 2.
_LARGEST_SCALE = 1 / 64


class BackboneFile(NamedTuple):
    """Facts in a `.keras` file; anyone may have made it.

    Attributes:
        has_open_size: Whether it takes images of any size.
        probabilities: Name of the last layer, if that makes probabilities: it
            is a whole classifier; else None.
        features: Of a classifier, the layer before the pooling; None: unknown.
        rescaling: Name of a layer that scales raw pixels, or None.
    """

    has_open_size: bool
    probabilities: str | None
    features: str | None
    rescaling: str | None


def read_backbone_file(path: str) -> BackboneFile:
    """Returns what a `.keras` file says of itself.

    Raises:
        UserError: If it is not such a file, or refused.
    """
    try:
        layers = read_config(path)["config"]["layers"]
        configs = [layer["config"] for layer in layers]
        shapes = [x["batch_shape"] for x in configs if "batch_shape" in x]
        has_open_size = None in shapes[0][1:3]
    except (LookupError, TypeError) as error:
        raise UserError(
            f"{path} is not a functional model in a .keras file, as Keras 3 "
            f"saves it ({type(error).__name__}: {error})."
        ) from error
    try:
        facts = *_find_classifier(layers), next(_rescalings(layers), None)
    except (LookupError, TypeError):  # safe loading says what is wrong with it
        facts = None, None, None
    return BackboneFile(has_open_size, *facts)


def _find_classifier(layers):
    """Returns the layer that makes probabilities, and that of its features."""
    last = layers[-1]
    if "layers" in last["config"]:
        return _find_classifier(last["config"]["layers"])
    pooling = [i for i, x in enumerate(layers) if x["class_name"] in _POOLING]
    features = layers[pooling[-1] - 1]["config"]["name"] if pooling else None
    is_probable = last["class_name"] == "Softmax" or any(
        word in str(last["config"].get("activation")) for word in _PROBABILITIES
    )
    if is_probable and (features or last["class_name"] == "Dense"):
        return last["config"]["name"], features
    return None, None


def _rescalings(layers) -> Iterator[str]:
    for layer in layers:
        config = layer["config"]
        if "layers" in config:
            yield from _rescalings(config["layers"])
        elif layer["class_name"] == "Rescaling":
            scale = config["scale"]
            if max(scale if isinstance(scale, list) else [scale]) <= (
                _LARGEST_SCALE
            ):
                yield config["name"]
