"""Random state of a call, isolated from that of the process."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds Python, NumPy and Keras, and puts their states back.

    As `keras.utils.set_random_seed`, but for TensorFlow's global seed, which
    can't be put back: everything that Thaw draws has a seed of its own.

    Args:
        seed: Seed.
    """
    keras_state = {
        name: global_state.get_global_attribute(name)
        for name in (GLOBAL_RANDOM_SEED, GLOBAL_SEED_GENERATOR)
    }
    with preserved():
        try:
            global_state.set_global_attribute(GLOBAL_RANDOM_SEED, seed)
            global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
            random.seed(seed)
            np.random.seed(seed)
            yield
        finally:
            for name, value in keras_state.items():
                global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Puts the states of Python's and NumPy's random numbers back.

    Keras draws seeds for the initializers of layers that it loads.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
