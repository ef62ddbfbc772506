"""Inspected photos as a table, for those who have millions."""

from pathlib import Path

from thaw import atomic
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos


def write_photo_rows(path: Path, photos: Photos) -> None:
    """Writes a Parquet file with a row per photo; needs pyarrow.

    Its columns are `path`, `label` (null where there are no classes) and the
    fields of `Inspection`; `perceptual_hash` as 16 hexadecimal digits.

    Args:
        path: Path of the file; it is replaced when the new one is whole.
        photos: Inspected photos.
    """
    import pyarrow  # comes with Ray
    import pyarrow.parquet

    values = zip(*photos.inspections, strict=True)
    columns = dict(zip(Inspection._fields, values, strict=True))
    columns["perceptual_hash"] = [
        None if x is None else f"{x:016x}" for x in columns["perceptual_hash"]
    ]
    names = photos.class_names or (None,)
    labels = [names[label] for label in photos.labels]
    table = pyarrow.table({"path": photos.paths, "label": labels} | columns)
    with atomic.written_beside(path) as beside:
        pyarrow.parquet.write_table(table, beside)
