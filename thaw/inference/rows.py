"""How predict.py prints: a table, CSV, JSON, JSON lines, or for a contest."""

import contextlib
import csv
import io
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from thaw.data.files import shown
from thaw.errors import UserError

UNSURE = "unsure"
Write = Callable[[str, np.ndarray], None]  # of (path, probabilities)


def describe(
    path: str,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    top: int | None = None,
    unsure_below: float = 0.0,
) -> dict:
    """Returns what is said of one photo.

    Args:
        path: Path of the photo.
        probabilities: float32 (number of classes,).
        class_names: Names of the classes.
        top: How many of the likeliest classes to list under `top`; None: each
            class has a key of its own.
        unsure_below: Probability under which the prediction is `UNSURE`.

    Returns:
        Dict of `path`, `predicted`, `probability` (that of the likeliest
        class) and the rest; numbers as floats.
    """
    best = int(probabilities.argmax())
    highest = float(probabilities[best])
    row = {
        "path": path,
        "predicted": class_names[best] if highest >= unsure_below else UNSURE,
        "probability": highest,
    }
    if top is None:
        row |= zip(class_names, map(float, probabilities), strict=True)
    else:
        likeliest = np.argsort(-probabilities, kind="stable")[:top]
        row["top"] = [
            {"class": class_names[i], "probability": float(probabilities[i])}
            for i in likeliest
        ]
    return row


@contextlib.contextmanager
def printer(
    output_format: str,
    class_names: Sequence[str],
    paths: Sequence[str] = (),
    top: int | None = None,
    unsure_below: float = 0.0,
) -> Iterator[Write]:
    """Makes the function that prints one photo, and what is around all.

    Each is written at once and in whole, so that what has been printed is
    right whenever it ends.

    Args:
        output_format: `table`, `csv`, `json`, `jsonl` or `contest`.
        class_names: Names of the classes.
        paths: The paths that are known, for the width of the table.
        top, unsure_below: As in `describe`.
    """
    if output_format == "contest":
        with _contest() as write:
            yield write
        return
    if top is not None:
        top = min(top, len(class_names))
    begin, line, end = {
        "table": _table,
        "csv": _csv,
        "json": _json,
        "jsonl": _json_lines,
    }[output_format](class_names, paths, top)

    def write(path, probabilities):
        row = describe(path, probabilities, class_names, top, unsure_below)
        sys.stdout.write(line(row))

    sys.stdout.write(begin)
    try:
        yield write
    finally:  # after Ctrl-C, too: half a list is a list
        sys.stdout.write(end)


def check_distinct(paths: Sequence[str]) -> None:
    """Raises a `UserError` if two photos would have one id in a contest."""
    seen = {}
    for path in paths:
        other = seen.setdefault(Path(path).stem, path)
        if other != path:
            raise UserError(
                f"{other} and {path} have the same id, {Path(path).stem}. "
                "Give the photos of the contest only."
            )


def _table(class_names, paths, top):
    heads = ["path", "predicted", "probability"]
    widths = [
        max((len(shown(path)) for path in paths), default=len("path")),
        max(map(len, [*class_names, heads[1]])),
        len(heads[2]),
    ]
    if top is not None:
        heads.append("likeliest")
        widths.append(0)

    def line(cells):
        # Names of a list are not known before: the column grows.
        widths[0] = max(widths[0], len(cells[0]))
        cells = map(str.ljust, cells, widths)
        return "  ".join(cells).rstrip() + "\n"

    def line_of(row):
        cells = [shown(row["path"]), row["predicted"]]
        cells.append(f"{row['probability']:.4f}")
        if top is not None:
            cells.append(
                ", ".join(
                    f"{x['class']} {x['probability']:.4f}" for x in row["top"]
                )
            )
        return line(cells)

    head = line(heads)
    rules = [
        "-" * max(pair) for pair in zip(widths, map(len, heads), strict=True)
    ]
    return head + line(rules), line_of, ""


def _csv(class_names, paths, top):
    header = ["path", "predicted", "probability"]
    if top is None:
        header += class_names
    else:
        for place in range(1, top + 1):
            header += [f"class_{place}", f"probability_{place}"]

    def line(cells):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        return text.getvalue()

    def line_of(row):
        *cells, last = row.values()
        if top is None:
            return line([*cells, last])
        return line(cells + [cell for x in last for cell in x.values()])

    return line(header), line_of, ""


def _json(class_names, paths, top):
    separator = ""

    def text_of(row):
        nonlocal separator
        text = textwrap.indent(json.dumps(row, indent=2), "  ")
        before, separator = separator, ","
        return f"{before}\n{text}"

    return "[", text_of, "\n]\n"


def _json_lines(class_names, paths, top):
    return "", lambda row: json.dumps(row) + "\n", ""


@contextlib.contextmanager
def _contest():
    """Keeps ids and labels, and prints them in the order of the ids."""
    scored = []

    def write(path, probabilities):
        scored.append((Path(path).stem, int(probabilities.argmax())))

    yield write
    # Names that are numbers by their number, then the others.
    scored.sort(
        key=lambda pair: (
            (0, int(pair[0]), "") if pair[0].isdecimal() else (1, 0, pair[0])
        )
    )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([("id", "label"), *scored])
