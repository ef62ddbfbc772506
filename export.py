"""Writes a trained model in other formats, and proves each equal to it.

    python export.py runs/latest --format=saved_model,litert,onnx,openvino

Each copy is run by its own runtime on the photos that the run was validated
on, raw and of any size, and is handed over if its answers are Keras's. Copies
have one output a class, in the order of labels.txt. litert is written in
float32, in float16 (half the size) and in int8 (a quarter, and fast on
phones), the latter two with the accuracy that they lose.
"""

import functools
import importlib.util
import sys
from pathlib import Path

from absl import flags

from thaw.cli import app
from thaw.errors import UserError
from thaw.evaluation import labelled_photos
from thaw.exporting import PACKAGES, VARIANTS, Variant
from thaw.progress import Progress
from thaw.runs.paths import follow_link

app.section("Flags")
_FORMAT = flags.DEFINE_list(
    "format",
    ["saved_model"],
    f"What to write: {', '.join(PACKAGES)}. All but saved_model need pip "
    "install -e '.[export]'.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder to write to. Left out: export in the run folder.",
)
_DATA = flags.DEFINE_string(
    "data",
    None,
    "Labelled photos to compare on, a folder or a table as in train.py. Left "
    "out: those that the run was validated on.",
)
_LIMIT = flags.DEFINE_integer(
    "limit",
    1000,
    "Photos to compare on, at most; spread evenly.",
    lower_bound=1,
)
_MAX_ACCURACY_LOSS = flags.DEFINE(
    app.ShareParser(),
    "max_accuracy_loss",
    0.02,
    "What float16 and int8 may lose in accuracy, at most.",
    serializer=app.ShareSerializer(),
)

_HEADS = (
    "copy",
    "size",
    "differs by",
    "other labels",
    "accuracy",
    "ms a photo",
)
_WIDTHS = (14, 9, 10, 12, 8, 10)


def main(argv):
    if len(argv) != 2:
        raise UserError(
            "Expected one run folder, e.g. python export.py runs/latest "
            "--format=onnx"
        )
    run_dir = follow_link(argv[1])
    variants = choose_variants(_FORMAT.value)
    labelled_photos.check_ended(run_dir)
    output_dir = Path(_OUTPUT_DIR.value or run_dir / "export")
    if _DATA.value is not None:
        app.check_outside_data("output_dir", output_dir, _DATA.value)
    paths, labels, names = labelled_photos.find_photos(run_dir, _DATA.value)
    with app.without_startup_remarks():
        import tensorflow as tf

        from thaw.exporting import agreement, classifier, exports
        from thaw.reports import model_card
        from thaw.runs import reader
        from thaw.runs.writer import RunFolder

        # GPUs round otherwise, and most of the runtimes would not use them.
        tf.config.set_visible_devices([], "GPU")
        run = RunFolder.open(run_dir)
        model_sha256 = reader.file_sha256(run.model_path)
        model = run.load_model()
    class_names = run.load_class_names()
    labels = labelled_photos.as_indices(labels, names, class_names)
    photos, labels = exports.choose_photos(paths, labels, _LIMIT.value)

    def answer(run_one):
        progress = Progress(len(labels))
        images = exports.load_photos(photos)
        try:
            return agreement.answer(run_one, images, progress)
        finally:
            progress.clear()

    if not classifier.is_float32(model):
        print("Trained in half precision; compared and written in float32.")
    exact = classifier.build_classifier(model)
    samples = functools.partial(
        exports.load_training_photos,
        reader.load_training_photos(run_dir),
    )
    left_out = []
    with exports.Copies(
        output_dir, model_sha256, exact, class_names, samples
    ) as copies:
        expected = answer(classifier.keras_runner(exact))
        print(f"Compared on {len(labels):,} photos, one at a time, on this CPU")
        print_line(_HEADS)
        print_line(["-" * width for width in _WIDTHS])
        of_keras = agreement.compare(
            expected.probabilities, expected.probabilities, labels
        )
        print_row("Keras", run.model_path, of_keras, expected.milliseconds)
        for variant in variants:
            try:
                path, received = copies.write(variant, answer)
            except exports.NotMade as error:
                left_out.append(f"{variant.name} could not be made: {error}")
                continue
            compared = agreement.compare(
                expected.probabilities, received.probabilities, labels
            )
            print_row(variant.name, path, compared, received.milliseconds)
            why = agreement.why_refused(
                compared, variant.is_exact, _MAX_ACCURACY_LOSS.value
            )
            if why is None:
                copies.hand_over(variant, path, compared, received.milliseconds)
            else:
                copies.withdraw(variant)
                left_out.append(f"{variant.name} is not handed over: {why}.")
    if (run_dir / "metrics.json").is_file():  # else its report was stopped
        run.save_card(model_card.make_card(run_dir))
    print(f"In {output_dir}: {', '.join(copies.names()) or 'nothing'}")
    if left_out:
        app.exit_with(1, "\n".join(left_out))
    return 0


def print_row(name, path, compared, milliseconds):
    """Prints how one copy compares with the model."""
    print_line(
        (
            name,
            f"{size(path) / 1e6:.1f} MB",
            f"{compared.largest_difference:.1e}",
            f"{compared.labels_differ:,}",
            f"{compared.accuracy:.4f}",
            f"{milliseconds:.1f}",
        )
    )


def print_line(cells):
    name, *rest = map(str.rjust, cells, _WIDTHS)
    print("  ".join([name.strip().ljust(_WIDTHS[0]), *rest]))
    sys.stdout.flush()


def choose_variants(formats: list[str]) -> list[Variant]:
    """Returns the variants of some formats.

    Raises:
        UserError: If there is no such format, or a package is missing.
    """
    unknown = set(formats) - set(PACKAGES)
    if unknown or not formats:
        raise UserError(
            f"--format: expected one or more of {', '.join(PACKAGES)}, with "
            f"commas between. Received: {','.join(formats)}"
        )
    missing = [
        package
        for name in formats
        for module, package in PACKAGES[name].items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise UserError(
            f"--format={','.join(formats)} needs packages that are not "
            f"installed: {', '.join(missing)}. Install those of all formats: "
            "pip install -e '.[export]'"
        )
    return [variant for variant in VARIANTS if variant.format in formats]


def size(path: Path) -> int:
    """Returns the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    app.run(main)
