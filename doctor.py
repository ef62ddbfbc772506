"""Looks at every photo of a folder, and says what is wrong with it.

    python doctor.py photos

takes what train.py takes as --data: a folder of class folders, a table, an
archive; or any folder with photos. Files that cannot be used are listed in
bad_photos.csv; what can be used but is odd (copies, other formats than the
names say, photos of one colour, ...) in doubts.csv, with a picture of it,
doubts.png. No photo is changed. The exit status is 0 if train.py would start.
"""

import csv
import os
from collections import Counter
from pathlib import Path

from absl import flags

import command_line
from errors import UserError
from input_pipeline import MAX_PIXELS
from model_zoo.listing import format_table
from progress import Progress

command_line.section("Flags")
_VALIDATION_DATA = flags.DEFINE_string(
    "validation_data", None, "As in train.py: the photos to validate on."
)
_LABEL_REGEX = flags.DEFINE_string(
    "label_regex", None, "As in train.py: the class in the name of a photo."
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    MAX_PIXELS,
    "Photos with more cannot be used.",
    lower_bound=1,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "runs/doctor", "Folder for what it writes."
)

_SHOWN_PER_KIND = 6  # photos on the sheet
_THUMBNAIL = 240  # pixels


def main(argv):
    if len(argv) != 2:
        raise UserError(
            "Expected one folder of photos, e.g. python doctor.py photos"
        )
    data = argv[1]
    output_dir = Path(_OUTPUT_DIR.value)
    command_line.check_outside_data("output_dir", output_dir, data)
    output_dir.mkdir(parents=True, exist_ok=True)
    from input_pipeline import doubts, findings, sides

    troubles = []
    indices = index(data, troubles)
    checked = check([path for photos in indices for path in photos.paths])
    bad = findings.bad_photos(checked)
    usable = sides.usable_sides(indices, checked)
    found = doubts.find_doubts(usable)

    formats = Counter(look.format for look in checked.found if look.format)
    print("Formats: " + ", ".join(f"{x} {n:,}" for x, n in formats.items()))
    if bad or found:
        table = findings.summary_table(bad, found, checked.paths)
        print(f"\n{format_table(table)}\n")
    write(output_dir, bad, found)
    if bad:
        troubles.append(
            f"{len(bad)} of {len(checked.paths)} photos cannot be used. Repair "
            "or remove them, or train without them: --skip_bad"
        )
    try:
        sides.separate(*sides.make_sides(usable))
    except UserError as error:
        troubles.append(str(error))
    uneven = findings.describe_balance(usable[0][0])
    if uneven:
        print(uneven)
    if troubles:
        command_line.exit_with(2, "\n".join(troubles))
    print(f"All can be used: python train.py --data={data}")
    return 0


def index(data: str, troubles: list[str]) -> list:
    """Returns the `PhotoIndex` of each side that there is.

    Where there are no classes to be found, it is that of all photos; why there
    are none is added to `troubles`.
    """
    import numpy as np

    from input_pipeline import files, findings, photo_index
    from input_pipeline.index import index_photos

    try:
        sides = index_photos(data, _VALIDATION_DATA.value, _LABEL_REGEX.value)
    except UserError as error:
        paths = files.find_photos(data) if os.path.isdir(data) else []
        if not paths:
            raise
        troubles.append(str(error))
        print(f"{len(paths):,} photos, in no classes")
        labels = np.zeros(len(paths), "int32")
        return [photo_index.PhotoIndex(tuple(paths), labels, ("photos",))]
    sides = [photos for photos in sides if photos is not None]
    print(findings.describe_counts(sides))
    return sides


def check(paths: list[str]):
    """Returns the `Contents` of photos, counting them on the terminal."""
    from input_pipeline import contents

    memo, max_pixels = contents.default_memo(), _MAX_PIXELS.value
    known = contents.recall(paths, memo, max_pixels)
    if None in known.found:
        with command_line.without_startup_remarks():
            import tensorflow  # noqa: F401
    progress = Progress(len(paths))
    checked = contents.look_at_rest(known, memo, max_pixels, progress)
    progress.end()
    return checked


def write(folder, bad, doubts):
    """Writes what was found, anew, and says where."""
    tables = {
        "bad_photos.csv": [("path", "reason"), *bad],
        "doubts.csv": [
            ("path", "kind", "detail", "other"),
            *((x.path, x.kind, x.detail, x.other or "") for x in doubts),
        ],
    }
    for name, rows in tables.items():
        path = folder / name
        path.unlink(missing_ok=True)  # that of another time
        if len(rows) == 1:
            continue
        # Names of files are bytes; not every one is valid UTF-8.
        with open(
            path, "w", newline="", encoding="utf-8", errors="surrogateescape"
        ) as file:
            csv.writer(file).writerows(rows)
        print(f"Listed in {path}")
    sheet = folder / "doubts.png"
    sheet.unlink(missing_ok=True)
    if doubts:
        draw(doubts, sheet)
        print(f"Shown in {sheet}")


def draw(doubts, path):
    """Draws the first doubts of each kind."""
    import plots
    from input_pipeline import files, pixels

    root = files.common_folder([doubt.path for doubt in doubts])
    groups = {}
    for doubt in doubts:
        pair = (doubt.path, doubt.other) if doubt.other else (doubt.path,)
        groups.setdefault(doubt.kind, []).append(pair)
    sections = []
    for kind, groups_of_photos in groups.items():
        photos = [path for group in groups_of_photos for path in group]
        drawn = [
            (
                files.shown(os.path.relpath(photo, root)),
                pixels.load_thumbnail(photo, _THUMBNAIL),
            )
            for photo in photos[:_SHOWN_PER_KIND]
        ]
        sections.append((f"{kind} ({len(groups_of_photos):,})", drawn))
    plots.plot_contact_sheet(sections).savefig(path, dpi=100)


if __name__ == "__main__":
    command_line.run(main)
