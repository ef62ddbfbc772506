"""Says how good a model is, where it is wrong, and what it looks at.

    python evaluate.py runs/latest
    python evaluate.py runs/latest --data=other_photos

takes a run folder of train.py. Without --data its own validation photos are
predicted again, and report.html, metrics.json, predictions.csv and the pictures
in the run folder made anew; what is written of other photos goes to a folder
of its own. No photo and no label is changed.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from absl import flags

from thaw.cli import app
from thaw.data import MAX_PIXELS
from thaw.errors import NotProved, UserError
from thaw.evaluation import labelled_photos
from thaw.progress import Progress
from thaw.runs.paths import follow_link

app.section("Flags")
_DATA = flags.DEFINE_string(
    "data",
    None,
    "Photos with labels, as train.py takes them: of a folder with train/ and "
    "validation/, the second. Left out: the photos that the run was validated "
    "on.",
)
_LABEL_REGEX = flags.DEFINE_string(
    "label_regex", None, "As in train.py: the class in the name of a photo."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder for what it writes. Left out: the run folder; with --data, "
    "evaluation-NAME in it.",
)
_MIN_COUNT = flags.DEFINE_integer(
    "min_count",
    1,
    "Photos from which on one class counts as taken for another.",
    lower_bound=1,
)
_CALIBRATE = flags.DEFINE_bool(
    "calibrate",
    False,
    "Makes the probabilities of the model mean what they say: divides by the "
    "temperature that suits these photos best what goes into its sigmoid or "
    "softmax, and saves it. What it predicts stays the same.",
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    MAX_PIXELS,
    "Photos with more cannot be used, and are left out.",
    lower_bound=1,
)

_PAIRS_PRINTED = 5  # of classes taken for each other


def main(argv):
    if len(argv) != 2:
        raise UserError(
            "Expected one run folder, e.g. python evaluate.py runs/latest"
        )
    run_dir = follow_link(argv[1])
    labelled_photos.check_ended(run_dir)
    for name in ("data", "output_dir"):
        if _CALIBRATE.value and flags.FLAGS[name].value is not None:
            raise UserError(
                "--calibrate goes by the photos that the run was validated "
                f"on, and changes the run folder. Leave out --{name}."
            )
    paths, labels, names = labelled_photos.find_photos(
        run_dir, _DATA.value, _LABEL_REGEX.value
    )
    output_dir = choose_output_dir(run_dir)
    with app.without_startup_remarks():
        from model_zoo.head import divide_logits
        from thaw.device import prepare_device
        from thaw.evaluation import evaluation as evaluation
        from thaw.reports import model_card, page
        from thaw.runs import reader
        from thaw.runs.writer import RunFolder

        prepare_device()
        run = RunFolder.open(run_dir)
        model = run.load_model()
    class_names = run.load_class_names()
    summary = reader.load_summary(run_dir, for_report=True)
    labels = labelled_photos.as_indices(labels, names, class_names)
    is_record = output_dir.resolve() == run_dir.resolve()
    judged, features = judge(model, paths, labels, class_names, is_record)
    if _DATA.value is None:
        issues = reader.load_label_issues(run_dir)
        evaluated = evaluation.OWN_PHOTOS
    else:
        evaluated = f"photos in {Path(_DATA.value).resolve().name}"
        issues = evaluation.suspected_labels(
            features,
            judged.labels,
            judged.paths,
            ["evaluated"] * len(judged.paths),
            class_names,
        )
    calibrated = None
    if _CALIBRATE.value:
        judged, calibrated = evaluation.calibrate(judged)
        divide_logits(model, calibrated.temperature)
        run.lock()
        save_proved(run, model, class_names, judged.paths)
        print(
            f"Temperature {calibrated.temperature:.3f}: the model in {run_dir} "
            "is calibrated"
        )
        if reader.load_exports(run_dir / "export"):
            print(f"The copies in {run_dir / 'export'} are not: export again")
    facts = evaluation.load_facts(run_dir, model, summary, evaluated)
    output_dir.mkdir(parents=True, exist_ok=True)
    numbers = evaluation.write(
        RunFolder(output_dir),
        model,
        judged,
        issues,
        facts,
        min_count=_MIN_COUNT.value,
        calibrated=calibrated,
    )
    if is_record and _DATA.value is None:
        run.save_card(model_card.make_card(run_dir))
    print(page.verdict(numbers, evaluated))
    for right, taken, count in numbers["most_confused"][:_PAIRS_PRINTED]:
        print(f"  {count:,} x {right} taken for {taken}")
    print(f"Report   {output_dir / 'report.html'}")
    print(f"Numbers  {output_dir / 'metrics.json'}")
    return 0


def save_proved(run, model, class_names, paths) -> None:
    """Writes the model of a run anew; exits with 1 if it is not proved.

    Then the one before is in its place again.
    """
    from thaw.data import decode
    from thaw.runs.verify import Reopening

    samples = decode.load_samples(paths)
    with tempfile.TemporaryDirectory() as folder:
        before = shutil.copy(run.model_path, folder)
        run.save_model(model, class_names)
        try:
            with Reopening(run.model_path, samples) as reopening:
                reopening.compare(model)
        except BaseException as error:  # Ctrl-C, too
            run.restore_model(before)
            if not isinstance(error, NotProved):
                raise
            app.exit_with(
                1, f"The model stays as it was. The calibrated one: {error}"
            )


def choose_output_dir(run_dir: Path) -> Path:
    """Returns the folder to write to, which may be there."""
    output_dir = run_dir
    if _DATA.value is not None:
        name = Path(_DATA.value).resolve().name
        output_dir = run_dir / f"evaluation-{name}"
    if _OUTPUT_DIR.value is not None:
        output_dir = Path(_OUTPUT_DIR.value)
    if _DATA.value is not None:
        app.check_outside_data("output_dir", output_dir, _DATA.value)
    return output_dir


def judge(model, paths, labels, class_names, needs_all):
    """Returns `evaluation.Judged`, and what the head sees of each photo.

    Raises:
        UserError: If none of the photos can be used, or `needs_all` and one
            cannot.
    """
    import numpy as np

    from thaw.data import inspection_cache, quality_report
    from thaw.evaluation import evaluation
    from thaw.inference import predictor

    progress = Progress(len(paths))
    checked = inspection_cache.check_contents(
        paths, inspection_cache.default_memo(), _MAX_PIXELS.value, progress
    )
    progress.end()
    bad = quality_report.bad_photos(checked)
    if bad:
        text = quality_report.describe_bad(checked)
        if len(bad) == len(paths):
            raise UserError(f"{text}\nGive other photos: --data")
        if needs_all:  # predictions.csv is the only list of these photos
            raise UserError(
                f"{text}\nPut them back; or, to go on without them, write to "
                "another folder: --output_dir"
            )
        print(f"{text}\nThey are left out.", file=sys.stderr)
    progress = Progress(len(paths) - len(bad))
    rows, parts = [], []
    for batch in predictor.Predictor(model).predict(checked):
        for row, reason in batch.lost:
            print(f"Left out: {paths[row]}: {reason}", file=sys.stderr)
        rows.append(batch.rows)
        parts.append(batch.outputs)
        progress(sum(map(len, rows)))
    progress.clear()
    rows = np.concatenate(rows)
    features, penultimate, probabilities, logits = (
        np.concatenate(arrays) for arrays in zip(*parts, strict=True)
    )
    judged = evaluation.Judged(
        [paths[row] for row in rows],
        labels[rows],
        probabilities,
        penultimate,
        logits,
        class_names,
    )
    return judged, features


if __name__ == "__main__":
    app.run(main)
