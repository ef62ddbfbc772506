"""Rejection of files by their name or first bytes."""

import os
import stat
from pathlib import Path

from thaw.errors import UserError

BACKBONE_WANTED = "a base that Keras 3 saved: model.save('base.keras')"
WEIGHTS_WANTED = (
    "weights in HDF5, a .h5 file of Model.save_weights or keras.applications"
)
MODEL_WANTED = "the model.keras written by train.py"

_PICKLE = "it is, or may hold, a pickle, which can run any code when opened"
_ARCHIVE = "it is an archive; unpack it, and look what is in it"
_SAVED_MODEL = (
    "it is a TensorFlow SavedModel, a program that can read and write files"
)
_FULL_H5 = (
    "it is a whole model in HDF5, a format in which Keras checks less of what "
    "the file asks for; give the weights alone, or save it as .keras"
)
_OTHER_TOOL = "it is the file of another tool, and holds no Keras layers"
_OTHER_FORMAT = "it is not in the format that its name says"
_BY_ENDING = {
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".ckpt")
        + (".bin", ".npy", ".npz"),
        _PICKLE,
    ),
    **dict.fromkeys(
        (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"), _ARCHIVE
    ),
    **dict.fromkeys((".pb", ".pbtxt"), _SAVED_MODEL),
    **dict.fromkeys((".h5", ".hdf5"), _FULL_H5),
    **dict.fromkeys(
        (".onnx", ".tflite", ".safetensors", ".mlmodel", ".gguf"), _OTHER_TOOL
    ),
}
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_BY_FIRST_BYTES = {
    **{b"\x80" + bytes([protocol]): _PICKLE for protocol in range(2, 6)},
    b"\x93NUMPY": _PICKLE,
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    _HDF5: _FULL_H5,
    _ZIP: _OTHER_FORMAT,
}


def refuse_by_name(path: str | Path, wanted: str) -> None:
    """Raises a `UserError` if a name ends like something that is refused.

    Args:
        path: What was given, of a file or not.
        wanted: What is expected in its place.
    """
    path = Path(path)
    reason = _BY_ENDING.get(path.suffix.lower())
    if reason == _FULL_H5 and wanted == WEIGHTS_WANTED:
        return
    if reason is None and (path / "saved_model.pb").exists():
        reason = _SAVED_MODEL
    if reason is not None:
        raise _refused(path, reason, wanted)


def check_plain_file(path: str | Path, wanted: str) -> None:
    """Raises a `UserError` unless a path leads to a file that may be opened.

    A folder, a device or a pipe does not: reading from it might never end. Nor
    does a file whose first bytes are those of something that is refused.

    Args:
        path: Path of a file; it may be a link.
        wanted: What is expected.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise UserError(
            f"Cannot open {path}: {error.strerror}. Expected {wanted}."
        ) from error
    if stat.S_ISDIR(mode):
        reason = "it is a folder"
        if (Path(path) / "saved_model.pb").exists():
            reason = _SAVED_MODEL
        raise _refused(path, reason, wanted)
    if not stat.S_ISREG(mode):
        raise _refused(path, "it is no regular file", wanted)
    with open(path, "rb") as file:
        begin = file.read(16)
    expected = _HDF5 if wanted == WEIGHTS_WANTED else _ZIP
    for first_bytes, reason in _BY_FIRST_BYTES.items():
        if begin.startswith(first_bytes) and first_bytes != expected:
            raise _refused(path, reason, wanted)


def check_size(path: str | Path, most: int) -> Path:
    """Returns the path of a regular file of at most so many bytes.

    Raises:
        UserError: If it is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is not a file.")
    if path.stat().st_size > most:
        raise UserError(f"{path} is too large.")
    return path


def _refused(path, reason, wanted):
    return UserError(f"{path} is refused: {reason}. Expected {wanted}.")
