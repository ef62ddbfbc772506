"""The random numbers of augmentation: one table per pass over the photos."""

from collections.abc import Sequence

import numpy as np

_BLOCK = 1024  # rows that are drawn together where they are all asked for
_DRAWN = 4  # numbers that one step of the generator gives


def pass_table(
    seed: int,
    pass_index: int,
    rows: Sequence[int] | np.ndarray,
    num_columns: int,
) -> np.ndarray:
    """Returns the random numbers that one pass over the photos needs of some.

    A counter-based generator (Philox; Salmon et al. 2011, "Parallel random
    numbers: as easy as 1, 2, 3") keyed by seed and pass: any row of any pass
    can be produced again without those before it, whatever the number of
    threads.

    Args:
        seed: Seed of the run, in [0, 2**64).
        pass_index: Which pass over all photos, from 0.
        rows: Rows of the table, (N,); row i belongs to photo i.
        num_columns: Random numbers per photo.

    Returns:
        float64 (N, num_columns), uniform in [0, 1).
    """
    rows = np.asarray(rows, "int64")
    table = np.empty((len(rows), num_columns))
    order = np.argsort(rows, kind="stable")
    blocks = rows[order] // _BLOCK
    for places in np.split(order, np.flatnonzero(np.diff(blocks)) + 1):
        if not len(places):
            continue
        first, last = int(rows[places[0]]), int(rows[places[-1]])
        drawn = _draw(seed, pass_index, first, last + 1, num_columns)
        table[places] = drawn[rows[places] - first]
    return table


def _draw(seed, pass_index, start, stop, num_columns):
    """Returns the rows from `start` to before `stop`."""
    bits = np.random.Philox(key=np.array([seed, pass_index], "uint64"))
    steps, before = divmod(start * num_columns, _DRAWN)
    bits.advance(steps)
    numbers = (stop - start) * num_columns
    drawn = np.random.Generator(bits).random(before + numbers)
    return drawn[before:].reshape(-1, num_columns)
