"""Says what is on photos, with a model that train.py left in a run folder.

    python predict.py runs/latest photo.jpg folder/ ...

Photos in folders are found at any depth. The run folder is all it needs: size,
preprocessing and class names come from there.
"""

import csv
import json
import sys
from pathlib import Path

from absl import flags

import command_line
from errors import UserError
from model_zoo.listing import format_table

command_line.section("Flags")
_FORMAT = flags.DEFINE_enum(
    "format",
    "table",
    ["table", "csv", "json", "contest"],
    "How to print: path, predicted, probability, and in csv and json one "
    "column per class; contest: id (the name of the file) and label (the "
    "number of the class, from 0) only, as csv.",
)
_BATCH_SIZE = 32  # photos at a time


def main(argv):
    if len(argv) < 3:
        raise UserError(
            "Expected a run folder and photos, e.g. python predict.py "
            "runs/latest photo.jpg"
        )
    run_dir, *photo_arguments = argv[1:]
    paths = find_all_photos(photo_arguments)
    with command_line.without_startup_remarks():
        from training.device import prepare_device
        from training.run_folder import RunFolder

        prepare_device()
        run = RunFolder.open(run_dir)
        model = run.load_model()
    class_names = run.load_class_names()
    rows = [
        prediction_row(path, probabilities, class_names)
        for path, probabilities in predict(model, paths)
    ]
    print_rows(rows, _FORMAT.value)
    return 0


def find_all_photos(arguments: list[str]) -> list[str]:
    """Returns the paths of the photos given, and of those in given folders.

    Raises:
        UserError: If one does not exist or a folder has no photos.
    """
    from input_pipeline.files import find_photos
    from input_pipeline.pixels import EXTENSIONS

    paths = []
    for argument in arguments:
        if Path(argument).is_dir():
            found = find_photos(argument)
            if not found:
                raise UserError(
                    f"No photos under {argument} ({', '.join(EXTENSIONS)})."
                )
            paths += found
        elif Path(argument).is_file():
            paths.append(argument)
        else:
            raise UserError(f"No photo or folder {argument}.")
    return paths


def predict(model, paths):
    """Yields (path, probabilities), float32 (num_classes,), of each photo.

    Args:
        model: Model of a run folder.
        paths: Paths of photos.

    Raises:
        UserError: If a photo cannot be read.
    """
    import keras
    import numpy as np

    from input_pipeline import contents, dataset, findings, photo_index
    from model_zoo import preprocessing

    checked = contents.check_contents(paths)
    if findings.bad_photos(checked):
        raise UserError(findings.describe_bad(checked))
    photos = photo_index.PhotoIndex(
        tuple(paths), np.zeros(len(paths), "int32"), class_names=()
    )
    # Photos of one batch have one size, so they are resized before the model.
    resized = model.get_layer("resize")
    after_resizing = keras.Model(resized.output, model.output)
    views = dataset.PhotoViews(
        photos,
        preprocessing.resizing_of(model),
        resized.height,
        contents=checked,
    )
    images_ds = views.images(0, np.arange(len(paths)), _BATCH_SIZE)
    remaining = iter(paths)
    for images in images_ds.as_numpy_iterator():
        outputs = after_resizing.predict_on_batch(images)
        if outputs.shape[1] == 1:  # sigmoid: the probability of class 1
            outputs = np.concatenate([1 - outputs, outputs], axis=1)
        for probabilities in outputs:
            yield next(remaining), probabilities


def prediction_row(path, probabilities, class_names):
    """Returns one line of the output as a dict, numbers as floats."""
    best = int(probabilities.argmax())
    return {
        "path": path,
        "predicted": class_names[best],
        "probability": float(probabilities[best]),
        **dict(zip(class_names, map(float, probabilities), strict=True)),
    }


def print_rows(rows: list[dict], output_format: str) -> None:
    """Prints the rows of `prediction_row` as a table, CSV or JSON."""
    if output_format == "json":
        print(json.dumps(rows, indent=2))
    elif output_format == "csv":
        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif output_format == "contest":
        class_names = list(rows[0])[3:]
        scored = [
            (Path(row["path"]).stem, class_names.index(row["predicted"]))
            for row in rows
        ]
        _check_distinct([row["path"] for row in rows])
        # Names that are numbers by their number, then the others.
        scored.sort(
            key=lambda pair: (
                (0, int(pair[0]), "")
                if pair[0].isdecimal()
                else (1, 0, pair[0])
            )
        )
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([("id", "label"), *scored])
    else:
        from input_pipeline.files import shown

        cells = [
            (shown(row["path"]), row["predicted"], f"{row['probability']:.4f}")
            for row in rows
        ]
        print(format_table([("path", "predicted", "probability"), *cells]))


def _check_distinct(paths):
    """Raises a `UserError` if two photos would have one id."""
    seen = {}
    for path in paths:
        other = seen.setdefault(Path(path).stem, path)
        if other != path:
            raise UserError(
                f"{other} and {path} have the same id, {Path(path).stem}. "
                "Give the photos of the contest only."
            )


if __name__ == "__main__":
    command_line.run(main)
