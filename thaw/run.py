"""Run: what fine_tune returns, and load_run opens."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.keras_config import check_keras_config
from thaw.pixel_range import PixelRange
from thaw.runs import paths, pixel_ranges, reader


class Run:
    """One training, and the run folder it left.

    Files are read when they are first asked for.

    Attributes:
        path: Path of the run folder.

    Example:

    ```python
    import thaw

    run = thaw.fine_tune(limit=40, head_epochs=1, epochs=1, verbose=0)
    print(run.val_accuracy)
    for prediction in run.predict("photo.jpg"):
        print(prediction.label, prediction.probability)
    ```
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __fspath__(self):
        return str(self.path)  # so it can be a `backbone`

    def __repr__(self):
        return f"Run({str(self.path)!r})"

    @functools.cached_property
    def summary(self) -> dict:
        """The content of run.json."""
        summary = reader.load_summary(self.path)
        if summary is None:
            raise UserError(f"The run in {self.path} has not ended.")
        return summary

    @functools.cached_property
    def config(self) -> TrainConfig:
        """The options of the run."""
        return TrainConfig(**self.summary["config"], given=())

    @functools.cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices."""
        return tuple(reader.load_class_names(self.path))

    @functools.cached_property
    def pixel_ranges(self) -> dict[str, PixelRange] | None:
        """Values that become black and white; None: not recorded."""
        return pixel_ranges.load(self.path)

    @functools.cached_property
    def history(self) -> dict[str, list]:
        """A list per column, one value per epoch, over both stages.

        The keys are `stage`, `epoch`, `seconds`, `learning_rate`, `loss`,
        `accuracy`, `val_loss` and `val_accuracy`.
        """
        rows = reader.load_history(self.path)
        return {key: [row[key] for row in rows] for key in rows[0]}

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept, from 1."""
        return self.summary["best_epoch"]

    @property
    def val_accuracy(self) -> float:
        """Accuracy on the validation photos, in the kept epoch."""
        return self.summary["val_accuracy"]

    @property
    def val_loss(self) -> float:
        """Loss on the validation photos, in the kept epoch."""
        return self.summary["val_loss"]

    @functools.cached_property
    def folder(self):
        """The `RunFolder`, with a trained model in it."""
        from thaw.runs.writer import RunFolder

        folder = RunFolder.open(self.path)
        reader.load_summary(self.path)  # refuses that of a newer Thaw
        return folder

    @functools.cached_property
    def model(self):
        """The model, a plain `keras.Model`, not compiled.

        From float32 or uint8 (B, any H, any W, 3), RGB in [0, 255], to
        float32 (B, 1), the probability of class 1, for two classes and to
        (B, number of classes) for more.
        """
        check_keras_config()
        from thaw import isolation

        with isolation.preserved():
            return self.folder.load_model()

    def predict(
        self,
        photos: str | Path | Sequence[str | Path],
        *,
        top: int | None = None,
        batch_size: int = 32,
    ) -> Iterator:
        """Yields a `Prediction` for each photo, in order.

        Args:
            photos: Path of a photo or folder, a glob, tar files, an address
                such as `s3://bucket/photos/`, or a list of these.
            top: Number of classes to list, the likeliest first; None: all.
            batch_size: Photos at a time.

        Raises:
            UserError: If there are no such photos.
        """
        check_keras_config()
        from thaw.inference import predictions

        return predictions.predict(self, photos, top=top, batch_size=batch_size)

    def write_predictions(self, photos, output: str | Path, **options) -> int:
        """Writes predictions as part files, those of predict.py --output.

        Args:
            photos: As in `predict`; of tar files, each is a part.
            output: Folder of the part files, or its address (`s3://...`);
                those there already stay.
            **options: `top`, `unsure_below`, `max_pixels`, `part`, `engine`,
                `ray_address`, `workers` and `gpus_per_worker` of predict.py.

        Returns:
            The number of photos, and of tar files, that can't be used.

        Raises:
            UserError: If there are no such photos, or the folder holds others.
            MachineError: If a part can't be written.
        """
        check_keras_config()
        from thaw.prediction_files import write_predictions

        return write_predictions(self, photos, output, **options)

    def evaluate(self, data: str | Path | None = None, **options):
        """Evaluates the model, writes a report, and returns an `Evaluation`.

        Args:
            data: Labelled photos as `fine_tune` takes them; None: the run's
                own validation photos.
            **options: Those of evaluate.py, e.g. `split` or `calibrate`.

        Raises:
            UserError: If the photos don't fit the model.
        """
        check_keras_config()
        from thaw.reports.evaluate import evaluate_run

        return evaluate_run(self, data, **options)

    def grad_cam(self, photos, *, layer_name: str | None = None):
        """Returns heat maps of the predicted classes, float32 (N, h, w).

        Args:
            photos: As in `predict`.
            layer_name: Layer whose maps are taken; None: the last one.
        """
        check_keras_config()
        from thaw.inference import predictions

        return predictions.grad_cam(self, photos, layer_name=layer_name)

    def export(self, formats: str | Sequence[str] = "saved_model", **options):
        """Exports the model, and returns a list of `Export`.

        Args:
            formats: One or more of `saved_model`, `litert`, `onnx` and
                `openvino`.
            **options: `data`, `output_dir`, `limit` and `max_accuracy_loss`,
                as of export.py.

        Raises:
            UserError: If a format is unknown or a package is missing.
        """
        check_keras_config()
        from thaw.exporting.exports import export_run
        from thaw.reports.model_card import write_card

        exports = export_run(self, formats, **options)
        if (self.path / "metrics.json").is_file():  # else it wasn't reported on
            write_card(self)
        return exports

    def plot_history(self, metric: str = "accuracy", ax=None):
        """Returns axes with training and validation curves.

        Args:
            metric: `accuracy` or `loss`.
            ax: Matplotlib axes to draw in; None: new ones.
        """
        import plots

        return plots.plot_history(self.history, metric=metric, ax=ax)

    @property
    def verdict(self) -> str:
        """The accuracy, its interval and the most common error, in words."""
        from thaw.evaluation.evaluation import Evaluation
        from thaw.reports.words import compare_with_yardstick

        metrics = reader.load_metrics(self.path)
        verdict = Evaluation.from_dict(metrics).verdict
        return verdict + compare_with_yardstick(self.summary)

    def _repr_html_(self):
        """Shows verdict and curves in a notebook."""
        from thaw.reports.notebook import run_html

        return run_html(self)


def load_run(path: str | Path) -> Run:
    """Opens the run folder of a training that has ended.

    Args:
        path: Path of the folder, e.g. `runs/latest`.

    Returns:
        The `Run`.

    Raises:
        UserError: If it is no run folder, has not ended, or is of a newer
            version of Thaw.

    Example:

    ```python
    import thaw

    run = thaw.load_run("runs/latest")
    ```
    """
    from thaw.runs.labelled_photos import check_finished

    path = paths.follow_link(path)
    check_finished(path)
    run = Run(path)
    _ = run.summary  # a damaged one is said now
    return run
