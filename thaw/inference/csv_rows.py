"""Rows of predictions as lines of a CSV file; no Keras."""

import csv
import io
from collections.abc import Iterable, Sequence


def csv_titles(class_names: Sequence[str], top: int | None) -> list[str]:
    """Returns the titles of the columns of `csv_cells`.

    Args:
        class_names: Names of the classes.
        top: As in `thaw.inference.rows.describe`.
    """
    titles = ["path", "predicted", "probability"]
    if top is None:
        titles += class_names
    for place in range(1, min(top or 0, len(class_names)) + 1):
        titles += [f"class_{place}", f"probability_{place}"]
    return titles


def csv_cells(row: dict) -> list:
    """Returns a row of `thaw.inference.rows.describe` as cells of a table."""
    *cells, last = row.values()
    if isinstance(last, list):  # `top`
        return cells + [cell for of_class in last for cell in of_class.values()]
    return [*cells, last]


def csv_text(rows: Iterable[Sequence]) -> str:
    """Returns rows of cells as lines of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
