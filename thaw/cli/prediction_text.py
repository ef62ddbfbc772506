"""Text of predictions: a table, CSV, JSON, JSON lines, or for a contest.

A format is a generator function of rows of `thaw.inference.rows.describe`, the
class names, the paths that are known, and the `top` of the rows. It yields
text in pieces, each whole, while the rows come.
"""

import json
import textwrap
from pathlib import Path

from thaw.data.class_names import are_numbers
from thaw.errors import UserError, shown
from thaw.inference.csv_rows import csv_cells, csv_text, csv_titles
from thaw.tables import format_row, rule


def _table(rows, class_names, paths, top):
    heads = ["path", "predicted", "probability"]
    widths = [
        max((len(shown(path)) for path in paths), default=len("path")),
        max(map(len, [*class_names, heads[1]])),
        len(heads[2]),
    ]
    if top is not None:
        heads.append("likeliest")
        widths.append(0)
    for cells in (heads, rule(map(max, widths, map(len, heads)))):
        yield format_row(cells, widths) + "\n"
    for row in rows:
        cells = [shown(row["path"]), row["predicted"]]
        cells.append(f"{row['probability']:.4f}")
        if top is not None:
            pairs = [f"{x['class']} {x['probability']:.4f}" for x in row["top"]]
            cells.append(", ".join(pairs))
        # Names of a list are not known before: the column grows.
        widths[0] = max(widths[0], len(cells[0]))
        yield format_row(cells, widths) + "\n"


def _csv(rows, class_names, paths, top):
    yield csv_text([csv_titles(class_names, top)])
    for row in rows:
        yield csv_text([csv_cells(row)])


def _json(rows, class_names, paths, top):
    yield "["
    separator = "\n"
    for row in rows:
        yield separator + textwrap.indent(json.dumps(row, indent=2), "  ")
        separator = ",\n"


def _json_lines(rows, class_names, paths, top):
    for row in rows:
        yield json.dumps(row) + "\n"


def _contest(rows, class_names, paths, top):
    ids = {}
    for path in paths:
        _id_of(path, ids)
    numbers = {name: number for number, name in enumerate(class_names)}
    if are_numbers(class_names):
        numbers = {name: name for name in class_names}
    labels = [
        (_id_of(row["path"], ids), numbers[row["predicted"]]) for row in rows
    ]
    # Names that are numbers by their number, then the others.
    labels.sort(key=lambda x: (0, int(x[0])) if x[0].isdecimal() else (1, x[0]))
    yield csv_text([("id", "label"), *labels])


def _id_of(path, ids):
    """Returns the id of a photo; `ids` are the paths of others by id."""
    name = Path(path).stem
    other = ids.setdefault(name, path)
    if other != path:
        raise UserError(
            f"{other} and {path} have the same id, {name}. Give only the "
            "photos of the contest."
        )
    return name


FORMATS = {
    "table": _table,
    "csv": _csv,
    "json": _json,
    "jsonl": _json_lines,
    "contest": _contest,
}
ENDS = {"json": "\n]\n"}  # by format; after Ctrl-C, too: half a list is a list
