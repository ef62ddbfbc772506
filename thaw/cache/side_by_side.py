"""Two batches in parallel: small convolutions leave cores idle."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

AT_A_TIME = 2


def map_side_by_side(function: Callable, batches: Iterable) -> Iterator:
    """Yields what a function returns for each batch, in their order.

    Two threads call it, for each batch once the one before the last is
    yielded. They have ended when the iterator is closed.

    Args:
        function: Function of one argument.
        batches: Its arguments.

    Example:

    ```python
    for outputs in map_side_by_side(frozen_part, batches):
        ...
    ```
    """
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        begun = collections.deque()
        for batch in batches:
            begun.append(pool.submit(function, batch))
            if len(begun) == AT_A_TIME:
                yield begun.popleft().result()
        for future in begun:
            yield future.result()
