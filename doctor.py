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

from model_zoo.listing import format_table
from thaw.cli import app
from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.progress import Progress

app.section("Flags")
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
    app.check_outside_data("output_dir", output_dir, data)
    output_dir.mkdir(parents=True, exist_ok=True)
    from thaw.data import quality, quality_report, splits

    troubles = []
    indices = index(data, troubles)
    checked = check([path for photos in indices for path in photos.paths])
    bad = quality_report.bad_photos(checked)
    usable = splits.usable_sides(indices, checked)
    found = quality.find_doubts(usable)

    formats = Counter(look.format for look in checked.found if look.format)
    print("Formats: " + ", ".join(f"{x} {n:,}" for x, n in formats.items()))
    if bad or found:
        table = quality_report.summary_table(bad, found, checked.paths)
        print(f"\n{format_table(table)}\n")
    write(output_dir, bad, found)
    if bad:
        troubles.append(
            f"{len(bad)} of {len(checked.paths)} photos cannot be used. Repair "
            "or remove them, or train without them: --skip_bad"
        )
    try:
        splits.separate(*splits.make_sides(usable))
    except UserError as error:
        troubles.append(str(error))
    uneven = quality_report.describe_balance(usable[0][0])
    if uneven:
        print(uneven)
    if troubles:
        app.exit_with(2, "\n".join(troubles))
    print(f"All can be used: python train.py --data={data}")
    return 0


def index(data: str, troubles: list[str]) -> list:
    """Returns the `PhotoIndex` of each side that there is.

    Where there are no classes to be found, it is that of all photos; why there
    are none is added to `troubles`.
    """
    import numpy as np

    from thaw.data import files
    from thaw.data import photos as photo_index
    from thaw.data import quality_report as quality_report
    from thaw.data.load import index_photos

    try:
        splits = index_photos(data, _VALIDATION_DATA.value, _LABEL_REGEX.value)
    except UserError as error:
        paths = files.find_photos(data) if os.path.isdir(data) else []
        if not paths:
            raise
        troubles.append(str(error))
        print(f"{len(paths):,} photos, in no classes")
        labels = np.zeros(len(paths), "int32")
        return [photo_index.PhotoIndex(tuple(paths), labels, ("photos",))]
    splits = [photos for photos in splits if photos is not None]
    print(quality_report.describe_counts(splits))
    return splits


def check(paths: list[str]):
    """Returns the `Contents` of photos, counting them on the terminal."""
    from thaw.data import inspection_cache

    memo, max_pixels = inspection_cache.default_memo(), _MAX_PIXELS.value
    known = inspection_cache.recall(paths, memo, max_pixels)
    if None in known.found:
        with app.without_startup_remarks():
            import tensorflow  # noqa: F401
    progress = Progress(len(paths))
    checked = inspection_cache.look_at_rest(known, memo, max_pixels, progress)
    progress.end()
    return checked


def write(folder, bad, quality):
    """Writes what was found, anew, and says where."""
    tables = {
        "bad_photos.csv": [("path", "reason"), *bad],
        "doubts.csv": [
            ("path", "kind", "detail", "other"),
            *((x.path, x.kind, x.detail, x.other or "") for x in quality),
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
    if quality:
        draw(quality, sheet)
        print(f"Shown in {sheet}")


def draw(quality, path):
    """Draws the first doubts of each kind."""
    import plots
    from thaw.data import files, pixels

    root = files.common_folder([doubt.path for doubt in quality])
    groups = {}
    for doubt in quality:
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
    app.run(main)
