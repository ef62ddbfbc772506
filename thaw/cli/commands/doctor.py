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
from thaw.work.options import EngineOptions


@dataclasses.dataclass(frozen=True, init=False)
class DoctorConfig(Config):
    """Flags of doctor.py.

    Flags:
        data: As in train.py, in place of the folder.
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

    data: str | None = option(None, is_path=True)
    validation_data: str | None = option(None, is_path=True)
    class_folders: tuple[str, ...] | None = option(None)
    label_regex: str | None = option(None)
    group_regex: str | None = option(None)
    path_column: str | None = option(None)
    label_column: str | None = option(None)
    max_pixels: int = option(MAX_PIXELS, low=1)
    pixel_range: str | None = option(None)
    output_dir: str = option("runs/doctor", is_path=True)


CONFIGS = (DoctorConfig, EngineOptions)


def main(
    arguments: list[str], config: DoctorConfig, engine: EngineOptions
) -> int:
    """Prints the report; returns 0 if a training would start."""
    options = config.to_dict()
    given = [x for x in (*arguments, options.pop("data")) if x is not None]
    if len(given) != 1:
        raise UserError(
            "Expected one folder of photos, e.g. python doctor.py photos"
        )
    from thaw.data.photo_report import check_photos

    (data,) = given
    report = check_photos(data, **options, **engine.keywords())
    say(report.summary())
    for path in report.files:
        print(f"{'Shown' if path.suffix == '.png' else 'Listed'} in {path}")
    if report.problems:
        raise UserError("\n".join(report.problems))
    flags = [
        x
        for x in config.to_flags()
        if not x.startswith(("--data=", "--output_dir="))
    ]
    flags = shlex.join([f"--data={data}", *flags])
    say(f"All can be used: python train.py {flags}")
    return 0
