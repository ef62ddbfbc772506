"""Checks every photo of a folder, and reports what is wrong with it.

    python doctor.py photos

takes what train.py takes as --data: a folder of class folders, a table, an
archive; or any folder with photos. Files that cannot be used are listed in
bad_photos.csv; those that can be used but are odd (duplicates, wrong
extensions, photos of one colour, ...) in doubts.csv, with a picture of them,
doubts.png. No photo is changed. The exit status is 0 if train.py would start.
"""

import dataclasses
import shlex

from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.options import Config, option
from thaw.progress import say


@dataclasses.dataclass(frozen=True, init=False)
class DoctorConfig(Config):
    """Flags of doctor.py.

    Flags:
        validation_data: As in train.py: the photos to validate on.
        class_folders: As in train.py: which folders are the classes.
        label_regex: As in train.py: the class in the name of a photo.
        group_regex: As in train.py: the group in the path of a photo.
        path_column: As in train.py: column of a table that names the photos.
        label_column: The one with the labels.
        max_pixels: Reject photos with more.
        pixel_range: As in train.py: the values that become black and white.
        output_dir: Folder for the results.
    """

    validation_data: str | None = option(None, is_path=True)
    class_folders: tuple[str, ...] | None = option(None)
    label_regex: str | None = option(None)
    group_regex: str | None = option(None)
    path_column: str | None = option(None)
    label_column: str | None = option(None)
    max_pixels: int = option(MAX_PIXELS, low=1)
    pixel_range: str | None = option(None)
    output_dir: str = option("runs/doctor")


CONFIGS = (DoctorConfig,)


def main(arguments: list[str], config: DoctorConfig) -> int:
    """Prints the report; returns 0 if a training would start."""
    if len(arguments) != 1:
        raise UserError(
            "Expected one folder of photos, e.g. python doctor.py photos"
        )
    from thaw.data.photo_report import check_photos

    (data,) = arguments
    report = check_photos(data, **config.to_dict())
    say(report.summary())
    for path in report.files:
        print(f"{'Shown' if path.suffix == '.png' else 'Listed'} in {path}")
    if report.problems:
        raise UserError("\n".join(report.problems))
    given = [x for x in config.to_flags() if not x.startswith("--output_dir=")]
    flags = shlex.join([f"--data={data}", *given])
    say(f"All can be used: python train.py {flags}")
    return 0
