"""model.keras: a plain Keras model with the names of its classes inside."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras

from model_zoo.safe_loading import load
from model_zoo.safe_loading.by_name import MODEL_WANTED
from thaw import __version__
from thaw.atomic import written_beside
from thaw.errors import UserError

_SAVED = ".saved.keras"  # by Keras, which asks for the ending


def save_model(
    path: Path, model: keras.Model, class_names: Sequence[str]
) -> None:
    """Writes a model with the class names in its metadata.json.

    They are its key `class_names`, beside Thaw's version; Keras reads such a
    file like any other.

    Args:
        path: Path of the file, which is replaced.
        model: Model of `build_model`.
        class_names: Names of the classes.
    """
    # Without the optimizer of build_model, whose state is not the run's:
    # Keras would warn about it each time the file is opened.
    plain = keras.Model(model.input, model.output, name=model.name)
    saved = path.with_name(_SAVED)
    try:
        plain.save(saved)
        with (
            zipfile.ZipFile(saved) as source,
            written_beside(path) as beside,
            zipfile.ZipFile(beside, "w") as target,
        ):
            for member in source.infolist():
                content = source.read(member)
                if member.filename == "metadata.json":
                    metadata = json.loads(content)
                    metadata["class_names"] = list(class_names)
                    metadata["thaw"] = __version__
                    content = json.dumps(metadata)
                target.writestr(member, content)
    finally:
        saved.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed process had not finished writing."""
    (folder / _SAVED).unlink(missing_ok=True)


def load_model(path: Path, class_names: Sequence[str]) -> keras.Model:
    """Returns a model, uncompiled; anyone may have made the file.

    Args:
        path: Path of the file.
        class_names: Names of the classes that it should tell apart.

    Raises:
        UserError: If it is refused, damaged, or of other classes.
    """
    model = load.load_model(path, MODEL_WANTED)
    num_classes = load.check_whole_model(model, str(path))
    if len(class_names) != num_classes:
        raise UserError(
            f"{path} has {num_classes} classes, and class_names.json names "
            f"{len(class_names)}."
        )
    return model
