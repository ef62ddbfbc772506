"""CSV and TSV files, read strictly: all rows have the cells of the first."""

import codecs
import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from thaw.errors import UserError, list_some

ENDINGS = (".csv", ".tsv")
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEP_LINE = re.compile(r"sep=([,;\t])\r?\n")  # Excel's, above the header


class Row(NamedTuple):
    """The cells of a row, stripped, and its line in the file, from 1 on."""

    line: int
    cells: list[str]


def is_table(data: str | Path) -> bool:
    """Returns whether `data` is meant as a table, by its name."""
    return Path(data).suffix.lower() in ENDINGS


def read_table(path: str | Path) -> dict[str, list[Row]]:
    """Returns the rows of a table, the header among them, by delimiter.

    The delimiter is what separates the cells of the first row. There are
    several readings only where several do, and each gives rows of one length.
    Empty rows, and empty cells beyond the first row's, are left out.

    Args:
        path: Path of a file in UTF-8 or UTF-16.

    Raises:
        UserError: If it can't be read, or a row has more or fewer cells than
            the first.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no table {path}.")
    text = _decode(path)
    is_tsv = path.suffix.lower() == ".tsv"
    delimiters = sorted(DELIMITERS, key=lambda x: x == "\t", reverse=is_tsv)
    sep_line = _SEP_LINE.match(text)
    if sep_line:
        delimiters = [sep_line[1]]
    readings, errors = {}, []
    for delimiter in delimiters:
        try:
            rows = _parse(path, text, delimiter, bool(sep_line))
        except UserError as error:
            errors.append(error)
        else:
            if rows:
                readings[delimiter] = rows
    if readings:
        return readings
    if errors:
        raise errors[0]
    first = next(iter(text.strip().splitlines()), "")
    raise UserError(
        f"{path} has fewer than two columns. Its first line is "
        f"'{first[:80]}'. Expected a header such as path,label or id,label, "
        f"separated by {', '.join(DELIMITERS.values())}."
    )


def _decode(path):
    contents = path.read_bytes()
    # UTF-16 without a byte order mark: its first letter is in ASCII.
    utf16 = {0: "utf-16-be", 1: "utf-16-le"}
    encoding = utf16.get(contents[:2].find(b"\0"), "utf-8-sig")
    if contents.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = contents.decode(encoding)
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} is not a table in UTF-8 or UTF-16 (line {line}: "
            f"{error.reason}). Save it as UTF-8; in Excel that is CSV UTF-8."
        ) from error
    if "\0" in text:
        raise UserError(f"{path} is not a table in UTF-8 or UTF-16.")
    return text


def _parse(path, text, delimiter, has_sep_line):
    """Returns the rows; none where `delimiter` doesn't separate the first."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
    )
    rows, ragged = [], []
    width, line = None, 1
    if has_sep_line:
        next(reader)
        line = 2
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            row, line = Row(line, cells), reader.line_num + 1
            if not any(cells):
                continue
            if width is None:
                width = max(i for i, x in enumerate(cells, 1) if x)
                if width < 2:
                    return []
            if len(cells) < width or any(cells[width:]):
                ragged.append(row)
            rows.append(row._replace(cells=cells[:width]))
    except csv.Error as error:
        if width is None:
            return []
        raise UserError(
            f"{path}, line {line}: {error}. A quoted cell ends with a quote, "
            "and quotes in it are doubled."
        ) from error
    if ragged:
        raise _ragged_error(path, delimiter, rows[0], ragged)
    return rows


def _ragged_error(path, delimiter, first, ragged):
    line, cells = ragged[0]
    more = f" {len(ragged) - 1:,} more lines don't fit." if ragged[1:] else ""
    word = DELIMITERS[delimiter]
    count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return UserError(
        f"{path}, line {line} has {count}, where line {first.line} "
        f"has {len(first.cells)}: {list_some(cells)}. Expected: "
        f"{list_some(first.cells)}.{more} Cells are separated by {word}; those "
        f"that hold {word} need quotes."
    )
