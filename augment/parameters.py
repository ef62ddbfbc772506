"""The random numbers of augmentation: one table per pass over the photos."""

import numpy as np


def pass_table(
    seed: int, pass_index: int, num_photos: int, num_columns: int
) -> np.ndarray:
    """Returns every random number that one pass over the photos needs.

    A counter-based generator (Philox; Salmon et al. 2011, "Parallel random
    numbers: as easy as 1, 2, 3") keyed by seed and pass: any pass can be
    produced again without those before it, whatever the number of threads.

    Args:
        seed: Seed of the run, in [0, 2**64).
        pass_index: Which pass over all photos, from 0.
        num_photos: Number of rows; row i belongs to photo i.
        num_columns: Random numbers per photo.

    Returns:
        float64 (num_photos, num_columns), uniform in [0, 1).
    """
    key = np.array([seed, pass_index], dtype="uint64")
    generator = np.random.Generator(np.random.Philox(key=key))
    return generator.random((num_photos, num_columns))
