"""Job: what an engine needs to know of the work."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from thaw.work.units import Unit


class Job(Protocol):
    """The work of some units, which can be pickled.

    Attributes:
        packages: Packages whose versions count, beside Thaw's own.
        same_device: Whether workers need the kind of device of this process;
            otherwise theirs is of one kind.
    """

    @property
    def packages(self) -> Sequence[str]: ...

    @property
    def same_device(self) -> bool: ...

    def start(self) -> Callable[[Unit], Any]:
        """Returns the function that does one unit; called in the worker.

        What it returns can be pickled, and is small.

        Raises:
            UserError: If this worker can't do it.
        """
