"""pixel_ranges.json: the values of a run's photos that are black and white."""

from collections.abc import Mapping
from pathlib import Path

from thaw.atomic import write_json
from thaw.pixel_range import KINDS, PixelRange
from thaw.runs import reader, schema
from thaw.runs.checked_files import damage_said, read_json

_NAME = "pixel_ranges.json"


def save(folder: str | Path, ranges: Mapping[str, PixelRange]) -> None:
    """Writes the ranges by kind of samples; where there are none, no file."""
    if ranges:
        texts = {kind: str(x) for kind, x in ranges.items()}
        write_json(Path(folder) / _NAME, texts)


def load(folder: str | Path) -> dict[str, PixelRange] | None:
    """Returns the ranges by kind of samples, {} for photos of 8 bits.

    None: the run is of an older Thaw, which kept none.

    Raises:
        UserError: If the file is damaged.
    """
    path = Path(folder) / _NAME
    if not path.exists():
        summary = reader.load_summary(folder)
        return {} if summary is None or "pixel_ranges" in summary else None
    texts = read_json(path)
    with damage_said(path):
        if not schema.is_like(texts, {"": str}) or not {*texts} <= {*KINDS}:
            raise ValueError("expected a range for each kind of samples")
        return {kind: PixelRange.parse(text) for kind, text in texts.items()}
