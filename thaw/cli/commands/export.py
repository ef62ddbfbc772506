"""Exports a trained model to other formats, and compares their predictions.

    python export.py runs/latest --format=saved_model,litert,onnx,openvino

Each export is run by its own runtime on the photos that the run was validated
on, raw and of any size, and is handed over if its answers are Keras's. Exports
have one output per class, in the order of labels.txt. litert is written in
float32, in float16 (half the size) and in int8 (a quarter, and fast on
phones), the latter two with the accuracy that they lose.
"""

import dataclasses

from thaw.cli import app
from thaw.errors import UserError, printable
from thaw.exporting.variants import PACKAGES
from thaw.options import Config, option
from thaw.progress import warn


@dataclasses.dataclass(frozen=True, init=False)
class ExportConfig(Config):
    """Options of export.py.

    Attributes:
        format: What to write: saved_model, litert, onnx, openvino. All but
            saved_model need pip install -e '.[export]'.
        output_dir: Folder to write to. Default: export in the run folder.
        data: Labelled photos to compare on, a folder or a table as in train.py.
            Default: those that the run was validated on.
        limit: Photos to compare on, at most; spread evenly.
        max_accuracy_loss: Accuracy that float16 and int8 may lose, at most.
    """

    format: tuple[str, ...] = option(("saved_model",), choices=PACKAGES)
    output_dir: str | None = option(None, is_path=True)
    data: str | None = option(None, is_path=True)
    limit: int = option(1000, low=1)
    max_accuracy_loss: float = option(0.02, low=0, high=1, is_share=True)


CONFIGS = (ExportConfig,)


def main(arguments: list[str], config: ExportConfig) -> int:
    """Writes exports; returns 1 if one is not handed over."""
    if len(arguments) != 1:
        raise UserError(
            "Expected one run folder, e.g. python export.py runs/latest "
            "--format=onnx"
        )
    from thaw.run import load_run

    run = load_run(arguments[0])
    with app.without_startup_logs():
        import tensorflow as tf

        # They round otherwise, and most runtimes wouldn't use them.
        tf.config.set_visible_devices([], "GPU")
    options = config.to_dict()
    exports = run.export(options.pop("format"), **options)
    refused = [x.refused for x in exports if x.refused is not None]
    for text in refused:
        warn(f"export.py: {printable(text)}")
    return 1 if refused else 0
