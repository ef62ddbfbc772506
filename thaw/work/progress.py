"""Progress of units, in photos."""

from thaw.progress import Progress


class UnitProgress:
    """Photos done, with the speed from the first unit that is done on.

    What comes before that, such as starting workers, is no measure of it.
    """

    def __init__(self, total: int, what: str = "photos"):
        """Starts with the first unit; arguments as of `Progress`."""
        self._total, self._what, self._done = total, what, 0
        self._progress: Progress | None = None

    def add(self, num_photos: int) -> None:
        """Counts the photos of a unit that is done, or its tar files."""
        self._done += num_photos
        if self._progress is None:
            self._progress = Progress(self._total, self._what)
        self._progress(self._done)

    def clear(self) -> None:
        """Takes the line away, so that something else can be printed."""
        if self._progress is not None:
            self._progress.clear()
