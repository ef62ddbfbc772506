"""What predict.py says on stderr while it works, and at the end."""

import os
import sys
import time

from thaw.data.files import shown
from thaw.progress import Progress

_MANY = 1000  # photos of which it is always said how fast it went


class Report:
    """Counts photos, on a bar if there is a terminal, and names bad ones.

    Attributes:
        num_photos: All so far.
        num_bad: Those of them that were left out.
    """

    def __init__(self, total: int | None):
        """Starts the clock.

        Args:
            total: Number of all photos; None: not known yet.
        """
        self.num_photos = self.num_bad = 0
        self._start = time.perf_counter()
        # Where the rows are printed on the same terminal, they show how far
        # it is.
        self._progress = None
        if sys.stderr.isatty() and not sys.stdout.isatty():
            self._progress = Progress(total)

    def add(self, number: int) -> None:
        """Counts photos that were predicted."""
        for _ in range(number):
            self.num_photos += 1
            if self._progress is not None:
                self._progress(self.num_photos)

    def add_bad(self, path: str, reason: str) -> None:
        """Counts a photo that is left out, and says why."""
        self.num_bad += 1
        self.clear()
        script = os.path.basename(sys.argv[0])
        print(f"{script}: {shown(path)}: {shown(reason)}", file=sys.stderr)
        self.add(1)

    def clear(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            self._progress.clear()

    def end(self) -> None:
        """Says how many photos there were, and how fast it went."""
        self.clear()
        seconds = time.perf_counter() - self._start
        if sys.stderr.isatty() or self.num_photos >= _MANY:
            print(
                f"{self.num_photos:,} photo{'s' * (self.num_photos != 1)} in "
                f"{seconds:.1f} s, {self.num_photos / seconds:.0f} photos/s",
                file=sys.stderr,
            )
