"""Options for the labels and the groups of photos."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from thaw.data.table_header import ColumnNames
from thaw.options import unknown_option


class LabelOptions(NamedTuple):
    """Options on labels and groups, as in `TrainConfig`; None: found.

    Attributes:
        label_regex: Class of a photo in its name, as in
            `file_names.load_by_name`; None: the class is its folder.
        class_folders: Which folders are the classes, as in
            `readings.matching`.
        path_column: Column of a table that names the photos.
        label_column: Column of a table with the labels.
        group_regex: Group of a photo in its path, as in
            `groups.group_by_path`; None: as a table says, if it does.
    """

    label_regex: str | None = None
    class_folders: Sequence[str] | None = None
    path_column: str | None = None
    label_column: str | None = None
    group_regex: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "LabelOptions":
        """Returns the options in a dict.

        Raises:
            UserError: If there are others.
        """
        for name in options:
            if name not in cls._fields:
                raise unknown_option(name, cls._fields)
        return cls(**options)

    @classmethod
    def of_config(cls, config) -> "LabelOptions":
        """Returns those of the options that `config` has."""
        return cls(
            **{x: getattr(config, x) for x in cls._fields if hasattr(config, x)}
        )

    @property
    def columns(self) -> ColumnNames:
        """Columns of a table that were asked for."""
        return ColumnNames(self.path_column, self.label_column)
