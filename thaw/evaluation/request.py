"""Requests to evaluate, checked before anything slow, without Keras."""

from pathlib import Path

from thaw.data.outside import check_outside_data
from thaw.errors import UserError


def choose_output_dir(
    run_dir: str | Path,
    data: str | Path | None,
    output_dir: str | Path | None,
    calibrate: bool,
) -> Path:
    """Returns the folder that an evaluation is written to; it may exist.

    Args:
        run_dir: Run folder.
        data: Photos to evaluate on; None: those it was validated on.
        output_dir: The folder asked for; None: the run folder or, with `data`,
            evaluation-NAME in it.
        calibrate: Whether the model of the run is calibrated.

    Raises:
        UserError: If these contradict each other.
    """
    for name, value in (("data", data), ("output_dir", output_dir)):
        if calibrate and value is not None:
            raise UserError(
                "`calibrate` uses the photos that the run was validated on, "
                f"and changes the run folder. Drop `{name}`."
            )
    folder = Path(run_dir)
    if data is not None:
        folder /= f"evaluation-{Path(data).resolve().name}"
    if output_dir is not None:
        folder = Path(output_dir)
    if data is not None:
        check_outside_data("output_dir", folder, data)
    return folder
