"""Requests to evaluate, checked before anything slow, without Keras."""

from pathlib import Path

from thaw.data.outside import check_outside_data
from thaw.errors import UserError


def choose_output_dir(
    run_dir: str | Path,
    data: str | Path | None,
    output_dir: str | Path | None,
    calibrate: bool,
    split: str | None = None,
) -> Path:
    """Returns the folder that an evaluation is written to; it may exist.

    Args:
        run_dir: Run folder.
        data: Photos to evaluate on; None: those it was validated on.
        output_dir: The folder asked for; None: the run folder or, with `data`,
            evaluation-NAME in it, or evaluation-NAME-SPLIT.
        calibrate: Whether the model of the run is calibrated.
        split: Part of `data` to evaluate on, or None.

    Raises:
        UserError: If these contradict each other.
    """
    for name, value in (("data", data), ("output_dir", output_dir)):
        if calibrate and value is not None:
            raise UserError(
                "`calibrate` uses the photos that the run was validated on, "
                f"and changes the run folder. Drop `{name}`."
            )
    if split is not None and data is None:
        raise UserError(
            f"`split={split}` is a part of `data`. Give both, e.g. the `data` "
            "that the run was trained on."
        )
    folder = Path(run_dir)
    if data is not None:
        name = Path(data).resolve().name
        folder /= f"evaluation-{name}{'' if split is None else f'-{split}'}"
    if output_dir is not None:
        folder = Path(output_dir)
    if data is not None:
        check_outside_data("output_dir", folder, data)
    return folder
