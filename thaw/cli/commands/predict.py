"""Predicts the class of photos with a trained model.

    python predict.py runs/latest photo.jpg folder/ 'photos/**/*.png' ...
    find photos -name '*.jpg' | python predict.py runs/latest -

Photos in folders are found at any depth; globs may be quoted; - stands for a
list of names on the standard input. Tar files, and addresses such as
s3://bucket/photos/, are read as well. The run folder is all it needs: size,
preprocessing and class names come from there. Photos that cannot be used are
named on stderr, and the exit status is then 1; the others are predicted.
"""

import dataclasses
import os
import sys
from pathlib import Path

from thaw.cli import app
from thaw.cli.prediction_text import ENDS, FORMATS
from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.options import Config, option
from thaw.progress import warn
from thaw.work.options import EngineOptions
from thaw.work.part import Part


@dataclasses.dataclass(frozen=True, init=False)
class PredictConfig(Config):
    """Options of predict.py.

    Attributes:
        format: How to print: path, predicted, probability, and in csv, json and
            jsonl (JSON lines) one column per class; contest: id (the name of
            the file) and label (the name of the class if all are numbers, else
            its place, from 0) only, as csv.
        top: Number of the likeliest classes to print for each photo, in place
            of a column per class.
        unsure_below: Where no class is as probable as this, predicted is the
            word unsure.
        grad_cam: Folder for pictures, one of each photo, of where the model
            sees the likeliest class.
        output: Folder for part-000000.csv and so on, and _SUCCESS.json once all
            are there, or its address (s3://...); the same command again writes
            those that are missing. Of tar files, each is a part.
        part: 3/100: write a hundredth of the part files.
        max_pixels: Photos with more cannot be used.
    """

    format: str = option("table", choices=FORMATS)
    top: int | None = option(None, low=1)
    unsure_below: float | None = option(None, low=0, high=1)
    grad_cam: str | None = option(None, is_path=True)
    output: str | None = option(None, is_path=True)
    part: str | None = option(None)
    max_pixels: int = option(MAX_PIXELS, low=1)

    def validate(self) -> None:
        """Raises a `UserError` if options contradict each other."""
        for name in ("top", "unsure_below"):
            if self.format == "contest" and getattr(self, name) is not None:
                raise UserError(
                    f"`{name}` and `format=contest` do not go together: a "
                    "contest takes one label for each photo."
                )
        Part.parse(self.part)
        if self.output is None:
            if self.part is not None:
                raise UserError("`part` writes part files. Give an `output`.")
        elif self.grad_cam is not None or self.format not in ("table", "csv"):
            raise UserError(
                "`output` is written as csv, without pictures. Drop `format` "
                "and `grad_cam`."
            )


CONFIGS = (PredictConfig, EngineOptions)


def main(
    arguments: list[str], config: PredictConfig, engine: EngineOptions
) -> int:
    """Prints predictions; returns 1 if a photo cannot be used."""
    if len(arguments) < 2:
        raise UserError(
            "Expected a run folder and photos, e.g. python predict.py "
            "runs/latest photo.jpg"
        )
    engine.check_part(config.part)
    if engine.engine != "local" and config.output is None:
        raise UserError("`engine=ray` writes part files. Give an `output`.")
    run_dir, *arguments = arguments
    if config.output is not None:
        return _write_part_files(run_dir, arguments, config, engine)
    from thaw.cli import photo_arguments

    known, parts = photo_arguments.find_photos(arguments)
    if config.grad_cam is not None:
        _make_picture_folder(config.grad_cam, arguments, known)
    parts = photo_arguments.wait_for_first(parts)
    return _print_rows(_open_run(run_dir, config), parts, config, known)


def _open_run(run_dir, config):
    """Returns the run, its model loaded."""
    from thaw.run import Run
    from thaw.runs.paths import follow_link

    run = Run(follow_link(run_dir))
    with app.without_startup_logs():
        from thaw.inference.rows import UNSURE

        _ = run.model
    if config.unsure_below and UNSURE in run.class_names:
        raise UserError(
            f"`unsure_below`: a class is named '{UNSURE}'. Leave the option "
            "out."
        )
    return run


def _write_part_files(run_dir, arguments, config, engine):
    """Writes the part files that are missing; returns the exit status."""
    from thaw.cli.photo_arguments import find_sources
    from thaw.inference.photo_parts import join_sources

    source = join_sources(find_sources(arguments))
    _check_outside("output", config.output, arguments, source.names)
    run = _open_run(run_dir, config)
    from thaw.prediction_files import write_part_files

    num_bad = write_part_files(
        run,
        source,
        config.output,
        engine,
        Part.parse(config.part),
        top=config.top,
        unsure_below=config.unsure_below,
        max_pixels=config.max_pixels,
        on_bad=lambda line: warn(f"predict.py: {line}"),
    )
    return 1 if num_bad else 0


def _print_rows(run, parts, config, known):
    """Prints predictions as they are computed; returns the exit status."""
    from thaw.cli.predict_progress import good_predictions
    from thaw.inference.pictures import PictureFolder
    from thaw.inference.predictions import predict_parts
    from thaw.inference.rows import describe

    unsure_below = config.unsure_below or 0.0
    save_pictures = None
    if config.grad_cam is not None:
        folder = PictureFolder(config.grad_cam, run.model, unsure_below)
        save_pictures = folder.save
    predictions = predict_parts(
        run,
        parts,
        top=config.top,
        max_pixels=config.max_pixels,
        on_batch=save_pictures,
    )
    bad = []
    good = good_predictions(
        predictions,
        len(known) if known.are_all else None,
        bad,
        needs_all=config.format == "contest",
    )
    rows = (describe(x, config.top, unsure_below) for x in good)
    make_text = FORMATS[config.format]
    try:
        for text in make_text(rows, run.class_names, known, config.top):
            sys.stdout.write(text)
            sys.stdout.flush()
    finally:
        sys.stdout.write(ENDS.get(config.format, ""))
    return 1 if bad else 0


def _make_picture_folder(folder, arguments, photos):
    """Makes the folder for pictures, unless it is among the photos."""
    _check_outside("grad_cam", folder, arguments, photos)
    Path(folder).mkdir(parents=True, exist_ok=True)


def _check_outside(option, folder, arguments, photos):
    """Raises a `UserError` if a folder to write to is among the photos."""
    from thaw.data.outside import check_outside_data

    for argument in arguments:
        if os.path.isdir(argument):
            check_outside_data(option, folder, argument)
    for photo_folder in {os.path.dirname(path) or "." for path in photos}:
        if os.path.realpath(photo_folder) == os.path.realpath(folder):
            raise UserError(
                f"`{option}`: there are photos in {folder}. Give another "
                "folder."
            )
