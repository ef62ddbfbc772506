"""Report on photos before training: bad files, quality issues, problems."""

import dataclasses
import os
from collections import Counter
from pathlib import Path
from typing import Any

from thaw import atomic
from thaw.data import MAX_PIXELS, files, quality, quality_report, split
from thaw.data.bursts import describe_bursts
from thaw.data.group_hint import describe_suggested_groups
from thaw.data.groups import group_all, join_groups
from thaw.data.inspect import inspect_together
from thaw.data.inspection_cache import default_memo
from thaw.data.inspection_job import inspect_by_engine
from thaw.data.label_options import LabelOptions
from thaw.data.load import load_photos
from thaw.data.outside import check_outside_data
from thaw.data.photo_rows import write_photo_rows
from thaw.data.photos import Photos
from thaw.data.pixels import load_thumbnail
from thaw.data.prepare import choose_set_ranges, find_data
from thaw.data.quality import QualityIssue
from thaw.errors import UserError, shown
from thaw.pixel_range import PixelRange
from thaw.work.options import EngineOptions

_SHOWN_PER_KIND = 6  # photos on the sheet
_THUMBNAIL = 240  # pixels


@dataclasses.dataclass(frozen=True, eq=False)
class PhotoReport:
    """Result of checking photos before a training run, printed as a table.

    Attributes:
        splits: Inspected photos to train and, where there are any of their
            own, to validate on; one without classes if none were found.
        bad: Path and reason of each photo that cannot be used.
        issues: Quality issues of the others, the worst first.
        problems: Reasons why training would not start; empty if it would.
        groups: Lines on groups in both splits, or None.
        pixel_range: What becomes black and white, in words; empty for photos
            of 8 bits.
        files: Files written to `output_dir`.
    """

    splits: list[Photos]
    bad: list[tuple[str, str]]
    issues: list[QualityIssue]
    problems: list[str]
    groups: str | None = None
    pixel_range: str = ""
    files: tuple[Path, ...] = ()

    @property
    def photos(self) -> Photos:
        """All photos, inspected."""
        return sum(self.splits[1:], self.splits[0])

    def summary(self) -> str:
        """Returns counts, formats and the table, without the problems."""
        photos = self.photos
        formats = Counter(x.format for x in photos.inspections if x.format)
        table = quality_report.describe_issues(
            self.bad, self.issues, photos.paths
        )
        lines = [
            *(note for photos in self.splits for note in photos.notes),
            quality_report.describe_counts(self.splits),
            "Formats: " + ", ".join(f"{x} {n:,}" for x, n in formats.items()),
            self.pixel_range,
            table and f"\n{table}\n",
            quality_report.describe_similar(self.splits[0]),
            quality_report.describe_balance(self.splits[0].usable()),
            self.groups,
        ]
        return "\n".join(filter(None, lines))

    def __str__(self):
        return "\n".join([self.summary(), *self.problems])


def check_photos(
    data: str | Path,
    *,
    validation_data: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
    pixel_range: str | None = None,
    output_dir: str | Path | None = None,
    **options: Any,
) -> PhotoReport:
    """Returns a report on photos: unreadable files, duplicates, odd ones.

    Every photo is decoded once, in a process of its own, and known from then
    on. No photo is changed.

    Args:
        data: Folder, table, archive or named set as `fine_tune` takes it, or
            any folder with photos.
        validation_data: The same to validate on, or None.
        max_pixels: Photos with more pixels cannot be used.
        pixel_range: Values that become black and white, e.g. `0:4095`; None:
            found.
        output_dir: Folder for bad_photos.csv, doubts.csv and doubts.png, a
            sheet of the photos with an issue; None: nothing is written.
        **options: `label_regex`, `class_folders`, `path_column`,
            `label_column` and `group_regex`, as in `fine_tune`; and `engine`,
            `ray_address` and `workers` of doctor.py: who decodes the photos.
            With `engine="ray"`, `output_dir` gets photos.parquet, too, a row
            per photo.

    Raises:
        UserError: If there are no photos, or `output_dir` is among them.

    Example:

    ```python
    import thaw

    report = thaw.check_photos("demo")
    print(report)
    assert not report.bad and not report.problems
    ```
    """
    given = None if pixel_range is None else PixelRange.parse(pixel_range)
    engine = EngineOptions.taken_from(options)
    LabelOptions.of(options)  # a misspelt one is no problem of photos
    if output_dir is not None:
        check_outside_data("output_dir", output_dir, data)
        Path(output_dir).mkdir(parents=True, exist_ok=True)
    problems = []
    try:
        data = find_data(data)
        splits = load_photos(data, validation_data, **options)
    except UserError as error:
        paths = files.find_photos(data) if os.path.isdir(data) else []
        if not paths:
            raise
        problems.append(str(error))
        splits = [Photos.unlabelled(paths)]
    splits = group_all([photos for photos in splits if photos is not None])
    inspect_by_engine(
        sum(splits[1:], splits[0]), default_memo(), max_pixels, engine
    )
    splits = inspect_together(splits, default_memo(), max_pixels)
    usable = [photos.usable() for photos in splits]
    bad = [x for photos in splits for x in photos.bad()]
    if bad:
        problems.append(
            f"{len(bad)} of {sum(map(len, splits))} photos cannot be used. "
            "Repair or remove them, or train without them: `skip_bad`"
        )
    ranges, range_line = {}, ""
    try:
        ranges, range_line = choose_set_ranges(usable, given)
    except UserError as error:
        problems.append(str(error))
    splits, usable = (
        [dataclasses.replace(x, pixel_ranges=ranges) for x in photos]
        for photos in (splits, usable)
    )
    groups = None
    try:
        if usable[0].class_names:
            groups = _describe_groups(usable)
    except UserError as error:
        problems.append(str(error))
    issues = quality.find_issues(usable)
    report = PhotoReport(splits, bad, issues, problems, groups, range_line)
    if output_dir is None:
        return report
    written = _save(report, Path(output_dir))
    rows = Path(output_dir, "photos.parquet")
    rows.unlink(missing_ok=True)  # of an earlier call
    if engine.engine == "ray":
        write_photo_rows(rows, report.photos)
        written.append(rows)
    return dataclasses.replace(report, files=tuple(written))


def _describe_groups(usable):
    """Returns a line on groups in the splits that train.py would make."""
    splits = split.split_photos(join_groups(usable))
    train, validation = split.move_duplicates(*splits)
    if train.groups:
        return quality_report.describe_groups(train, validation)
    lines = (
        describe_suggested_groups(train, validation),
        describe_bursts(train, validation),
    )
    return "\n".join(filter(None, lines)) or None


def _save(report, folder):
    """Writes what was found, anew; returns the paths."""
    tables = {
        "bad_photos.csv": [("path", "reason"), *report.bad],
        "doubts.csv": [
            ("path", "kind", "detail", "other"),
            *((x.path, x.kind, x.detail, x.other or "") for x in report.issues),
        ],
    }
    written = []
    for name, rows in tables.items():
        path = folder / name
        path.unlink(missing_ok=True)  # of an earlier call
        if len(rows) > 1:
            atomic.write_csv(path, rows)
            written.append(path)
    sheet = folder / "doubts.png"
    sheet.unlink(missing_ok=True)
    if report.issues:
        import plots

        figure = _draw(report.issues, report.photos.pixel_ranges)
        plots.save_figure(figure, sheet, dpi=100)
        written.append(sheet)
    return written


def _draw(issues, pixel_ranges):
    """Returns a figure of the first photos of each kind of issue."""
    import plots

    root = files.common_folder([issue.path for issue in issues])
    by_kind = {}
    for issue in issues:
        by_kind.setdefault(issue.kind, []).append(issue)
    sections = []
    for kind, of_kind in by_kind.items():
        paths = [path for x in of_kind for path in (x.path, x.other) if path]
        drawn = [
            (
                shown(os.path.relpath(path, root)),
                load_thumbnail(path, _THUMBNAIL, pixel_ranges),
            )
            for path in paths[:_SHOWN_PER_KIND]
        ]
        sections.append((f"{kind} ({len(of_kind):,})", drawn))
    return plots.draw_contact_sheet(sections)
