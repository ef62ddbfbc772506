"""Evaluation of a finished run, on its validation photos or on others."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from model_zoo.head import divide_logits
from thaw.data import MAX_PIXELS, decode
from thaw.data.prepare import inspect_usable
from thaw.device import prepare_device
from thaw.errors import MachineError, NotVerified, list_some
from thaw.evaluation.calibration import Calibrated, calibrate_predictions
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.label_issues import LabelIssues, find_label_issues
from thaw.evaluation.predictions import Predictions, predict_labelled
from thaw.evaluation.request import choose_output_dir
from thaw.progress import say
from thaw.reports.facts import facts_of_run
from thaw.reports.model_card import make_card
from thaw.reports.report import check_one_run, write_report
from thaw.runs import photo_tables, reader, schema
from thaw.runs.labelled_photos import find_labelled_photos
from thaw.runs.verify import FreshProcessCheck
from thaw.runs.writer import RunFolder


def evaluate_run(
    run,
    data: str | Path | None = None,
    *,
    calibrate: bool = False,
    output_dir: str | Path | None = None,
    split: str | None = None,
    min_count: int = 1,
    max_pixels: int = MAX_PIXELS,
    **label_options: Any,
) -> Evaluation:
    """Evaluates a run, and writes the report. No photo or label is changed.

    Args:
        run: `thaw.run.Run`.
        data: Labelled photos, as in `fine_tune`; of those with a validation
            split, that split. None: the photos the run was validated on.
        calibrate: Whether to divide the logits of the saved model by the
            temperature that suits its validation photos best.
        output_dir: Folder for the report; None: the run folder or, with
            `data`, evaluation-NAME in it.
        split: Part of `data` to evaluate on: `train`, `validation` or `test`,
            a folder in it or rows of the table.
        min_count: Photos from which on a pair of classes counts as confused.
        max_pixels: Photos with more pixels are skipped.
        **label_options: `label_regex`, `class_folders`, `path_column`,
            `label_column` and `group_regex`, as in `fine_tune`; labels are
            judged without photos of the same group.

    Returns:
        The `Evaluation`; its `path` is that of report.html.

    Raises:
        UserError: If options, photos or model don't fit.
        NotVerified: If a fresh process could not confirm the calibrated
            model. The model then stays as it was.
    """
    output_dir = choose_output_dir(run.path, data, output_dir, calibrate, split)
    photos = find_labelled_photos(run.path, data, split, **label_options)
    for note in photos.notes:
        say(note)
    prepare_device()
    is_record = output_dir.resolve() == run.path.resolve()
    photos = _take_usable(run, photos, max_pixels, is_record)
    facts = facts_of_run(run)
    check_one_run(facts, run.model)
    predictions, features = predict_labelled(run.model, photos)
    if data is None:
        issues = _load_issues(run.path)
    else:
        name = f"photos in {Path(data).resolve().name}"
        facts = facts._replace(photos=f"{split} {name}" if split else name)
        issues = find_label_issues(
            features,
            predictions.labels,
            predictions.paths,
            ["evaluated"] * len(predictions.paths),
            run.class_names,
            predictions.groups,
        )
    calibrated = None
    if calibrate:
        predictions, calibrated = _calibrate(run, predictions)
    output_dir.mkdir(parents=True, exist_ok=True)
    evaluation = write_report(
        RunFolder(output_dir),
        run.model,
        predictions,
        issues,
        facts,
        min_count=min_count,
        calibrated=calibrated,
    )
    if is_record and data is None:
        flags = reader.load_flags(run.path)
        exports = reader.load_current_exports(run.path)
        num_issues = len(issues.rows)
        card = make_card(facts, evaluation, flags, num_issues, exports)
        run.folder.save_card(card)
    return evaluation


def _load_issues(run_dir):
    """Returns the suspected labels that training has found."""
    not_judged = ()
    if (run_dir / "metrics.json").exists():
        issues = reader.load_metrics(run_dir).get("label_issues")
        if schema.is_like(issues, {"not_judged": [str]}):  # else an older Thaw
            not_judged = tuple(issues["not_judged"])
    return LabelIssues(photo_tables.load_label_issues(run_dir), not_judged)


def _take_usable(run, photos, max_pixels, is_record):
    """Returns the photos that can be used, and says which classes lack some."""
    photos, _ = inspect_usable(
        photos,
        max_pixels=max_pixels,
        # predictions.csv is the only list of the validation photos.
        most_bad=0.0 if is_record else 1.0,
        way_out="Put them back. Or give other photos (`data`), or another "
        "folder to write to, without them (`output_dir`)."
        if is_record
        else "Give other photos: `data`",
        pixel_ranges=run.pixel_ranges,
    )
    lacking = [name for name, n in photos.counts().items() if not n]
    if lacking:
        say(f"No photos of {list_some(lacking)}")
    return photos


def _calibrate(run, predictions: Predictions) -> tuple[Predictions, Calibrated]:
    """Calibrates the saved model of a run; returns its predictions, too."""
    predictions, calibrated = calibrate_predictions(predictions)
    with run.folder.lock():
        _save_calibrated(run, calibrated.temperature, predictions)
    say(
        f"Temperature {calibrated.temperature:.3f}: the model in {run.path} is "
        "calibrated"
    )
    if reader.load_exports(run.path / "export"):
        say(f"The exports in {run.path / 'export'} are not: export again")
    return predictions, calibrated


def _save_calibrated(run, temperature, predictions):
    """Writes the model anew; if that fails, all is as it was before."""
    model, folder, last = run.model, run.folder, run.model.layers[-1]
    weights = last.get_weights()
    samples = decode.load_samples(
        predictions.paths, pixel_ranges=predictions.pixel_ranges
    )
    with tempfile.TemporaryDirectory() as place:
        before = Path(shutil.copy(folder.model_path, place))
        try:
            divide_logits(model, temperature)
            folder.save_model(model, run.class_names)
            with FreshProcessCheck() as check:
                check.open(folder.model_path, samples)
                check.compare(model)
        except BaseException as error:  # Ctrl-C, too
            last.set_weights(weights)
            folder.restore_model(before)
            if not isinstance(error, NotVerified | MachineError):
                raise
            raise type(error)(
                f"The model stays as it was. The calibrated one: {error}"
            ) from error
