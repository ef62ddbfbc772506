"""Layer names that don't depend on models built before.

Keras numbers layers and operations without a name per thread: the second
`Rescaling` of a process is `rescaling_1`. Names are part of a model's JSON, of
variable paths, and so of the key of cached features.
"""

import collections
import contextlib
from collections.abc import Iterable, Iterator

from keras.src.backend.common import global_state

_COUNTER = "object_name_uids"  # as in keras/src/utils/naming.py


@contextlib.contextmanager
def fresh_names() -> Iterator[None]:
    """Makes Keras number names from the start, and then go on as before.

    Other threads have counters of their own.
    """
    before = global_state.get_global_attribute(_COUNTER)
    global_state.set_global_attribute(_COUNTER, collections.defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(_COUNTER, before)


def reserve_names(names: Iterable[str]) -> None:
    """Keeps Keras from giving these names to what is built next.

    Keras doesn't count names that come from a file, and a model in which a
    name stands twice is an error.
    """
    counter = global_state.get_global_attribute(_COUNTER)
    for name in names:
        stem, _, number = name.rpartition("_")
        if number.isdecimal():
            counter[stem] = max(counter[stem], int(number) + 1)
        counter[name] = max(counter[name], 1)
