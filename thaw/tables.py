"""Text tables for the terminal."""

from collections.abc import Sequence


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows of strings as aligned columns, the first row underlined.

    >>> print(format_table([("run", "accuracy"), ("a", "0.9650")]))
    run  accuracy
    ---  --------
    a    0.9650
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        format_row(row, widths) for row in (rows[0], rule(widths), *rows[1:])
    )


def format_row(
    cells: Sequence[str], widths: Sequence[int], numbers: bool = False
) -> str:
    """Returns one line of a table, for tables that grow while they're printed.

    Args:
        cells: The strings of the row.
        widths: Characters of each column; longer cells push the rest along.
        numbers: Whether all cells but the first are aligned on the right.
    """
    aligned = [
        f"{cell:{'>' if numbers and column else '<'}{width}}"
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def rule(widths: Sequence[int]) -> list[str]:
    """Returns the cells of the line under the titles."""
    return ["-" * width for width in widths]
