"""Names of the columns of a table: in its first row, or numbers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from thaw.data.files import is_photo
from thaw.data.photo_finder import PhotoFinder
from thaw.data.table_file import Row
from thaw.errors import UserError, list_some

PHOTO_NAMES = {
    *("path", "paths", "id", "name", "file", "files", "filename", "filenames"),
    *("filepath", "filepaths", "file_name", "file_path", "fname", "image"),
    *("images", "image_id", "imageid", "image_name", "image_path", "img"),
    *("image_file", "img_id", "img_name", "img_path", "photo", "picture"),
}
LABEL_NAMES = {
    *("label", "labels", "label_name", "class", "classes", "class_name"),
    *("classname", "class_id", "class_label", "category", "categories"),
    *("category_id", "category_name", "target", "targets", "breed"),
    *("species", "diagnosis", "dx", "disease", "tag", "tags", "y"),
}
SPLIT_COLUMNS = ("split", "is_valid", "is_val", "is_validation")
_SHOWN = 3  # cells


class ColumnNames(NamedTuple):
    """Columns that were asked for; None: what the table tells."""

    path: str | None = None
    label: str | None = None


BY_CONTENT = ColumnNames()


class NamedRows:
    """Rows of a table under the names of its columns.

    Attributes:
        table: Path of the table.
        names: Name of each column; its number, from 1 on, if it has none.
        keys: The same in lower case, words separated by underscores; "" if it
            has none.
        has_header: Whether the first row holds the names.
        is_sure: Whether that is sure; else it may name a missing photo.
        rows: Rows below.
    """

    def __init__(
        self,
        table: Path,
        rows: Sequence[Row],
        finder: PhotoFinder,
        asked: ColumnNames = BY_CONTENT,
    ):
        """Decides whether there is a header.

        Args:
            table: Path of the table.
            rows: Of `table_file.read_table`.
            finder: Photos in the folder of the table.
            asked: Columns that were asked for.
        """
        self.table = table
        first = rows[0].cells
        self.has_header, self.is_sure = _look_for_header(first, finder, asked)
        self.rows = rows[1:] if self.has_header else rows
        names = first if self.has_header else [""] * len(first)
        self.names = [name or str(x) for x, name in enumerate(names, 1)]
        self.keys = list(map(_key, names))
        if not self.rows:
            raise UserError(f"{table} names no photos.")

    def cells(self, column: int) -> list[str]:
        """Returns the cells of a column, which is a number from 0 on."""
        return [row.cells[column] for row in self.rows]

    def column(self, option: str, name: str) -> int:
        """Returns the number of a column.

        Args:
            option: Name of the option that asks for it.
            name: Name of the column, or its number from 1 on.

        Raises:
            UserError: If there is no such column, or several.
        """
        numbers = [str(number) for number, _ in enumerate(self.names, 1)]
        for known, asked in (
            (self.names, name),
            (self.keys, _key(name)),
            (numbers, name),
        ):
            found = [i for i, x in enumerate(known) if x == asked]
            if len(found) == 1:
                return found[0]
        raise UserError(
            f"`{option}`: {self.table} has no column '{name}', or two. "
            f"{self.describe()}"
        )

    def describe(self) -> str:
        """Returns a sentence on the columns, with a row of examples."""
        some = list_some(self.rows[0].cells, _SHOWN)
        if not self.has_header:
            return f"It has {len(self.names)} columns without names: {some}."
        return (
            f"It has {len(self.names)} columns: {list_some(self.names)}. Line "
            f"{self.rows[0].line}: {some}."
        )


def _look_for_header(first, finder, asked):
    """Returns whether the first row is a header, and whether that is sure."""
    asked = [name for name in asked if name]
    known = {*PHOTO_NAMES, *LABEL_NAMES, *SPLIT_COLUMNS, *map(_key, asked)}
    others = [cell for cell in first if _key(cell) not in known]
    if any(map(is_photo, first)):
        return False, True
    if len(first) - len(others) > 1:
        return True, True
    if len(others) == len(first) and asked:  # no such names, but numbers
        return not all(name.isdecimal() for name in asked), True
    if any(map(finder.named, others)):
        return False, True
    return True, len(others) < len(first)


def _key(name):
    return re.sub(r"[\s-]+", "_", name.strip().lower())
