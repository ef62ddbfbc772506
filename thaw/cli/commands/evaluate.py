"""Evaluates a trained model: metrics, errors and suspected wrong labels.

    python evaluate.py runs/latest
    python evaluate.py runs/latest --data=other_photos

takes a run folder of train.py. Without --data its own validation photos are
predicted again, and report.html, metrics.json, predictions.csv and the pictures
in the run folder are written anew; a report on other photos goes to a folder of
its own. No photo and no label is changed.
"""

import dataclasses
from typing import Any

from thaw.cli import app
from thaw.data import MAX_PIXELS, SPLIT_NAMES
from thaw.errors import UserError
from thaw.evaluation.request import choose_output_dir
from thaw.options import Config, option

_PAIRS_PRINTED = 5  # of classes that are confused


@dataclasses.dataclass(frozen=True, init=False)
class EvaluateConfig(Config):
    """Options of evaluate.py, those of `evaluate_run`.

    Options:
        data: Labelled photos, as train.py takes them; of a folder with train/
            and validation/, the second. Default: the photos that the run was
            validated on.
        split: Part of `data` to evaluate on: train, validation or test, a
            folder in it or the rows of a table.
        label_regex: As in train.py: the class in the name of a photo.
        group_regex: As in train.py: the group in the path of a photo.
        class_folders: As in train.py: which folders are the classes.
        path_column: As in train.py: column of a table that names the photos.
        label_column: The one with the labels.
        output_dir: Folder for the report. Default: the run folder; with `data`,
            evaluation-NAME in it.
        min_count: Photos from which on a pair of classes counts as confused.
        calibrate: Calibrate the saved model by temperature scaling: divide its
            logits by the temperature that suits these photos best. Predicted
            labels stay the same.
        max_pixels: Photos with more pixels are skipped.
    """

    data: str | None = option(None, is_path=True)
    split: str | None = option(None, choices=tuple(SPLIT_NAMES))
    label_regex: str | None = option(None)
    group_regex: str | None = option(None)
    class_folders: tuple[str, ...] | None = option(None)
    path_column: str | None = option(None)
    label_column: str | None = option(None)
    output_dir: str | None = option(None, is_path=True)
    min_count: int = option(1, low=1)
    calibrate: bool = option(False)
    max_pixels: int = option(MAX_PIXELS, low=1)


CONFIGS = (EvaluateConfig,)


def main(arguments: list[str], config: EvaluateConfig) -> int:
    """Evaluates a run, prints the verdict, and returns the exit status."""
    if len(arguments) != 1:
        raise UserError(
            "Expected one run folder, e.g. python evaluate.py runs/latest"
        )
    from thaw.data.label_options import LabelOptions
    from thaw.runs import labelled_photos, paths

    # Mistakes are said before TensorFlow is imported, which takes seconds.
    run_dir = paths.follow_link(arguments[0])
    labelled_photos.check_finished(run_dir)
    choose_output_dir(
        run_dir,
        config.data,
        config.output_dir,
        config.calibrate,
        config.split,
    )
    labelled_photos.find_labelled_photos(
        run_dir,
        config.data,
        config.split,
        **LabelOptions.of_config(config)._asdict(),
    )
    with app.without_startup_logs():
        from thaw.device import prepare_device
        from thaw.reports.evaluate import evaluate_run
        from thaw.run import load_run

        prepare_device()
    evaluation = evaluate_run(load_run(run_dir), **config.to_dict())
    print(evaluation)
    for label, predicted, count in evaluation.most_confused[:_PAIRS_PRINTED]:
        print(f"  {count:,} x {label} predicted as {predicted}")
    report: Any = evaluation.path
    print(f"Report   {report}")
    print(f"Metrics  {report.with_name('metrics.json')}")
    return 0
