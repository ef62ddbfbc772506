"""Folders for results, which must be outside of the photos."""

from pathlib import Path

from thaw.errors import UserError


def check_outside_data(
    option: str, folder: str | Path, data: str | Path
) -> None:
    """Raises a `UserError` if a folder to write to is among the photos.

    Args:
        option: Name of the option that gave the folder.
        folder: Path of the folder.
        data: Path of the photos.
    """
    data = Path(data).expanduser()
    if Path(folder).resolve().is_relative_to(data.resolve()):
        raise UserError(
            f"`{option}`: {folder} is inside {data}, so the next run would "
            "read it as photos. Give a folder outside."
        )
