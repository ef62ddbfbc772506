"""Says what is on photos, with a model that train.py left in a run folder.

    python predict.py runs/latest photo.jpg folder/ 'photos/**/*.png' ...
    find photos -name '*.jpg' | python predict.py runs/latest -

Photos in folders are found at any depth; globs may be quoted; - stands for a
list of names on the standard input. The run folder is all it needs: size,
preprocessing and class names come from there. Photos that cannot be used are
named on stderr, and the exit status is then 1; the others are predicted.
"""

import functools
import operator
import os
import sys
from pathlib import Path

from absl import flags

from thaw.cli import app, photo_arguments, predict_progress
from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.inference import rows as predict_output

app.section("Flags")
_FORMAT = flags.DEFINE_enum(
    "format",
    "table",
    ["table", "csv", "json", "jsonl", "contest"],
    "How to print: path, predicted, probability, and in csv, json and jsonl "
    "(JSON lines) one column per class; contest: id (the name of the file) "
    "and label (the number of the class, from 0) only, as csv.",
)
_TOP = flags.DEFINE_integer(
    "top",
    None,
    "How many of the likeliest classes to print for each photo, in place of "
    "a column per class.",
    lower_bound=1,
)
_UNSURE_BELOW = flags.DEFINE_float(
    "unsure_below",
    None,
    "Where no class is as probable as this, predicted is the word unsure.",
    lower_bound=0,
    upper_bound=1,
)
_GRAD_CAM = flags.DEFINE_string(
    "grad_cam",
    None,
    "Folder for pictures, one of each photo, of where the model sees the "
    "likeliest class.",
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    MAX_PIXELS,
    "Photos with more cannot be used.",
    lower_bound=1,
)


def main(argv):
    if len(argv) < 3:
        raise UserError(
            "Expected a run folder and photos, e.g. python predict.py "
            "runs/latest photo.jpg"
        )
    run_dir, *arguments = argv[1:]
    check_flags()
    given = photo_arguments.find_given(arguments)
    if _GRAD_CAM.value is not None:
        make_picture_folder(_GRAD_CAM.value, arguments, given)
    if _FORMAT.value == "contest":
        given = [[x for part in photo_arguments.in_parts(given) for x in part]]
        predict_output.check_distinct(given[0])
    parts = wait_for_first(photo_arguments.in_parts(given))
    with app.without_startup_remarks():
        from thaw.device import prepare_device
        from thaw.runs.writer import RunFolder

        prepare_device()
        run = RunFolder.open(run_dir)
        model = run.load_model()
    class_names = run.load_class_names()
    if _UNSURE_BELOW.value and predict_output.UNSURE in class_names:
        raise UserError(
            f"--unsure_below: there is a class of the name "
            f"'{predict_output.UNSURE}'. Leave the flag out."
        )
    known = [x for x in given if x != photo_arguments.LIST]
    with predict_output.printer(
        _FORMAT.value,
        class_names,
        [path for paths in known for path in paths],
        _TOP.value,
        _UNSURE_BELOW.value or 0.0,
    ) as write:
        num_photos, num_bad = predict(
            model, class_names, parts, photo_arguments.count_given(given), write
        )
    sys.stdout.flush()
    if num_bad:
        app.exit_with(
            1, f"{num_bad:,} of {num_photos:,} photos cannot be used."
        )
    return 0


def check_flags() -> None:
    """Raises a `UserError` if flags do not go together."""
    for name in ("top", "unsure_below"):
        if _FORMAT.value == "contest" and flags.FLAGS[name].value is not None:
            raise UserError(
                f"--{name} and --format=contest do not go together: a contest "
                "takes one label for each photo."
            )


def make_picture_folder(folder, arguments, given) -> None:
    """Makes the folder for pictures, unless it is among the photos."""
    for argument, paths in zip(arguments, given, strict=True):
        if os.path.isdir(argument):
            app.check_outside_data("grad_cam", folder, argument)
        elif paths != photo_arguments.LIST:
            for of_photo in {os.path.dirname(path) or "." for path in paths}:
                if os.path.realpath(of_photo) == os.path.realpath(folder):
                    raise UserError(
                        f"--grad_cam: there are photos in {folder}. Give "
                        "another folder."
                    )
    Path(folder).mkdir(parents=True, exist_ok=True)


def wait_for_first(parts):
    """Returns `parts`, of which the first has come.

    Raises:
        UserError: If there is none.
    """
    first = next(parts, None)
    if first is None:
        raise UserError("-: the list on the standard input is empty.")

    def all_parts():
        yield first
        yield from parts

    return all_parts()


def predict(model, class_names, parts, total, write) -> tuple[int, int]:
    """Predicts photos part by part, and writes what comes out.

    Args:
        model: Model of a run folder.
        class_names: Names of its classes.
        parts: Lists of paths.
        total: Number of all paths; None: not known.
        write: Of `rows.printer`.

    Returns:
        Number of photos, and of those among them that cannot be used.

    Raises:
        UserError: If one cannot be used and it is for a contest.
    """
    from thaw.data import quality_report
    from thaw.inference import predictor as inference

    checked_parts = inference.check_in_parts(parts, _MAX_PIXELS.value)
    if _FORMAT.value == "contest":  # nothing is printed before the end
        checked_parts = [functools.reduce(operator.add, checked_parts)]
        if quality_report.bad_photos(checked_parts[0]):
            raise UserError(quality_report.describe_bad(checked_parts[0]))
    predictor = inference.Predictor(model)
    grad_cam = None
    if _GRAD_CAM.value is not None:
        from thaw.inference.grad_cam import GradCam

        grad_cam = GradCam(model)
    report = predict_progress.Report(total)
    try:
        for checked in checked_parts:
            for path, reason in quality_report.bad_photos(checked):
                report.add_bad(path, reason)
            for batch in predictor.predict(checked):
                for row, reason in batch.lost:
                    report.add_bad(checked.paths[row], reason)
                paths = [checked.paths[row] for row in batch.rows]
                for path, probabilities in zip(
                    paths, batch.probabilities, strict=True
                ):
                    write(path, probabilities)
                sys.stdout.flush()
                if grad_cam is not None and paths:
                    draw(grad_cam, class_names, paths, batch)
                report.add(len(paths))
    finally:
        report.clear()
    report.end()
    if report.num_bad and _FORMAT.value == "contest":
        raise UserError("A contest needs a label for every photo.")
    return report.num_photos, report.num_bad


def draw(grad_cam, class_names, paths, batch) -> None:
    """Writes a picture of each photo of a batch to --grad_cam."""
    from thaw.inference import pictures

    likeliest = batch.probabilities.argmax(axis=1)
    captions = []
    for path, probabilities, best in zip(
        paths, batch.probabilities, likeliest, strict=True
    ):
        row = predict_output.describe(
            path, probabilities, class_names, 1, _UNSURE_BELOW.value or 0.0
        )
        name = class_names[best]
        unsure = "" if row["predicted"] == name else f"{row['predicted']}: "
        captions.append(f"{unsure}{name} {row['probability']:.4f}")
    pictures.save_pictures(
        _GRAD_CAM.value,
        paths,
        batch.images,
        grad_cam(batch.images, likeliest),
        captions,
    )


if __name__ == "__main__":
    app.run(main)
