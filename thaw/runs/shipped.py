"""A trained run that is sent to other machines: its files, as bytes."""

import dataclasses
import functools
import tempfile
from pathlib import Path

import keras

from thaw.pixel_range import PixelRange
from thaw.runs import pixel_ranges, reader
from thaw.runs.model_file import load_model

# What predictions need; some runs have no pixel_ranges.json.
_FILES = ("model.keras", "class_names.json", "pixel_ranges.json", "run.json")


@dataclasses.dataclass(frozen=True)
class ShippedRun:
    """The files of a run folder that predictions need.

    Attributes:
        files: Content of each, by name.
    """

    files: dict[str, bytes]

    @classmethod
    def of(cls, run_dir: str | Path) -> "ShippedRun":
        """Returns the files of a run folder."""
        paths = [Path(run_dir, name) for name in _FILES]
        return cls({x.name: x.read_bytes() for x in paths if x.exists()})

    @property
    def model(self) -> keras.Model:
        """The model, as `thaw.Run.model`."""
        return self._loaded[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._loaded[1]

    @property
    def pixel_ranges(self) -> dict[str, PixelRange] | None:
        """As `thaw.Run.pixel_ranges`."""
        return self._loaded[2]

    @functools.cached_property
    def _loaded(self):
        with tempfile.TemporaryDirectory(prefix="thaw-") as folder:
            for name, content in self.files.items():
                Path(folder, name).write_bytes(content)
            class_names = tuple(reader.load_class_names(folder))
            model = load_model(Path(folder, "model.keras"), class_names)
            return model, class_names, pixel_ranges.load(folder)
