"""The budget of a search: seconds of the whole run, or a number of trials."""

import time

_TOLERANCE = 1.05


class Budget:
    """Seconds or trials that a search may use, and how many it has used.

    Attributes:
        trials: Number of trials that have been run.
    """

    def __init__(
        self,
        most_seconds: float | None,
        most_trials: int | None,
        seconds_before: float,
    ):
        """Starts the clock.

        Args:
            most_seconds: Seconds until the run has to end; None: any.
            most_trials: Number of trials; None: any.
            seconds_before: Seconds of the run that are used already.
        """
        self.trials = 0
        self._most_seconds = most_seconds
        self._most_trials = most_trials
        self._start = time.perf_counter() - seconds_before
        self._first = seconds_before

    @property
    def is_limited(self) -> bool:
        """True if there is a limit."""
        return (self._most_seconds, self._most_trials) != (None, None)

    def limit(self, most_seconds: float) -> None:
        """Sets the seconds until the run has to end."""
        self._most_seconds = most_seconds

    @property
    def seconds(self) -> float:
        """Seconds of the run that are used."""
        return time.perf_counter() - self._start

    def has(self, seconds: float) -> bool:
        """Returns whether about so many seconds are left, if they are limited.

        Args:
            seconds: What was reserved; a last trial may have taken longer than
                expected, by a little.
        """
        if self._most_seconds is None:
            return True
        return self.seconds + seconds <= _TOLERANCE * self._most_seconds

    def allows(self, seconds: float, reserve: float, share: float) -> bool:
        """Returns whether another trial fits.

        Args:
            seconds: What it is expected to take.
            reserve: Seconds that the run needs after the search.
            share: Share of the search that may be over then, in (0, 1].
        """
        if self._most_trials is not None:
            return self.trials < round(share * self._most_trials)
        if self._most_seconds is None:
            return True
        for_search = self._most_seconds - reserve - self._first
        return self.seconds + seconds <= self._first + share * for_search
