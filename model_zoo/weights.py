"""Weights of a base: files, downloads, and clear errors for both."""

import http.client
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from model_zoo.safe_loading.by_name import (
    WEIGHTS_WANTED,
    check_plain_file,
    refuse_by_name,
)
from model_zoo.safe_loading.hdf5 import check_weights
from thaw.errors import UserError, first_line

EMBEDDED_VGG16_TINY = (
    Path(__file__).parent / "weights" / "vgg16_tiny.weights.h5"
)

# EfficientNet's ImageNet files store the standard deviations of the channels
# where `Normalization` expects variances.
_EFFICIENTNET_STORED_VARIANCE = (0.229, 0.224, 0.225)


def load_weights_file(base: keras.Model, path: str | Path) -> None:
    """Loads a `.h5` or `.weights.h5` file into `base`, in place.

    Both the files of `keras.applications` (by layer order) and those of
    `Model.save_weights` (by layer path) are read. Anyone may have made them:
    they are checked before.

    Args:
        base: Keras model; layers without weights do not matter.
        path: Path of the file.

    Raises:
        UserError: If the file is refused, unreadable or of another model.
    """
    path = Path(path)
    refuse_by_name(path, WEIGHTS_WANTED)
    if path.suffix != ".h5":
        raise UserError(
            f"{path} is not a weights file: expected one ending in .h5 (from "
            "Model.save_weights or keras.applications). A whole base in a "
            ".keras file is a `backbone`."
        )
    check_plain_file(path, WEIGHTS_WANTED)
    check_weights(path, str(path))
    try:
        with warnings.catch_warnings():
            # Keras only warns where it leaves layers at random.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            base.load_weights(os.fspath(path))
    except OSError as error:
        raise UserError(
            f"Cannot read the weights file {path}: {first_line(error)} "
            "Expected an HDF5 file; was it downloaded completely?"
        ) from error
    # All else that Keras raises on a file that it did not write.
    except Exception as error:
        raise UserError(
            f"The weights in {path} do not fit {base.name}. Expected weights "
            "of the same backbone: without its classifier (the file names of "
            "keras.applications then end in notop.h5), or, where `cut_at` "
            "names a layer of the classifier, with it."
        ) from error
    _correct_efficientnet_normalization(base)


def _correct_efficientnet_normalization(base):
    """Makes an EfficientNet divide by deviations, not by their square roots.

    `EfficientNetB*(weights="imagenet")` adds a Rescaling layer that corrects
    for what its weights file stores as variances; given the same weights as a
    file, Keras leaves that layer out and the base sees wrong colours
    (keras/src/applications/efficientnet.py). Squaring the stored numbers has
    the same effect.
    """
    for layer in base.layers:
        if not isinstance(layer, keras.layers.Normalization):
            continue
        for variable in layer.weights:
            if variable.name != "variance":
                continue
            stored = keras.ops.convert_to_numpy(variable)
            if stored.shape == (3,) and all(
                abs(stored - _EFFICIENTNET_STORED_VARIANCE) < 1e-4
            ):
                variable.assign(stored**2)
                layer.finalize_state()


def with_imagenet_weights(
    construct: Callable, backbone: str, include_top: bool
) -> keras.Model:
    """Returns a base with ImageNet weights, downloaded unless they are here.

    Keras shows a progress bar, keeps the file, and checks it where it has its
    hash.

    Args:
        construct: Function of `include_top` and `weights`.
        backbone: Name, for the message.
        include_top: As in `keras.applications`.

    Raises:
        UserError: If they can't be had.
    """
    try:
        with warnings.catch_warnings():
            # MobileNets say that they take the weights of their native size.
            warnings.filterwarnings("ignore", ".*`input_shape` is undefined")
            return construct(include_top, weights="imagenet")
    except Exception as error:
        if _is_failed_download(error):
            raise _no_imagenet_weights(backbone, error) from error
        raise


def _is_failed_download(error):
    """Returns whether Keras failed to download a file, and not otherwise.

    It raises a bare Exception when there is no connection, what the network
    raises when that breaks, and ValueError when the file is not the one
    expected (keras/src/utils/file_utils.py, get_file).
    """
    return (
        type(error) is Exception
        or isinstance(error, (OSError, http.client.HTTPException))
        or "corrupted file" in str(error)
    )


def _no_imagenet_weights(backbone, error):
    return UserError(
        f"The ImageNet weights of {backbone} are not in Keras's cache and "
        f"cannot be downloaded ({first_line(error)}). Three ways out: connect "
        "to the internet and run again; copy the weights file from another "
        "machine and give it as `weights=FILE`; or start from random weights "
        "with `weights=none` (much worse on few photos, and only sensible "
        "with `unfreeze_from=all` and `train_batch_norm`)."
    )
