"""Expected seconds of trials, and of the run after them."""

from thaw.search.candidates import Candidate
from thaw.search.record import Record
from thaw.search.trial_photos import TrialPhotos
from thaw.training.state import Training

# Figures, page and proof: what they take, and for each photo.
_REPORT, _REPORT_OF_PHOTO = 6.0, 1.5e-3  # seconds
_VALIDATION = 2.0  # times as long as training photos: always in float32
_COMPILATION = 3.0  # seconds
_JUDGING = 1 / 3  # times as long as training


class Prices:
    """Expected seconds, from the trials so far."""

    def __init__(self, training: Training, photos: TrialPhotos, record: Record):
        """Takes the objects that know.

        Args:
            training: The run.
            photos: Photos of the trials.
            record: Trials so far.
        """
        self._training = training
        self._photos = photos
        self._record = record

    def trial(self, candidate: Candidate, epochs: int) -> float:
        """Returns the seconds of a trial.

        Args:
            candidate: What would be tried.
            epochs: Its number of epochs.
        """
        photos, of_point = self._photos, self._trials_of_point(candidate)
        if not of_point:  # twice as much as at the others
            known = self._record.trials
            start = max(
                (x.seconds - x.epochs * x.seconds_per_epoch for x in known),
                default=0,
            )
            return 2 * start + epochs * self._seconds_per_epoch(candidate)
        stored = [
            photos.num_views(candidate.augment, x.epochs)
            for x in of_point
            if x.candidate.augment == candidate.augment
        ]
        num_views = photos.num_views(candidate.augment, epochs)
        num_passes = max(0, num_views - max(stored, default=0))
        return (
            epochs * self._seconds_per_epoch(candidate)
            + num_passes * photos.seconds_per_pass
        )

    def rest(self, candidate: Candidate, epochs: int) -> float:
        """Returns the seconds of a run after its search.

        Args:
            candidate: What would be chosen.
            epochs: Its number of epochs, if none is given for the run.
        """
        photos, config = self._photos, self._training.config
        if "epochs" in config.given:
            epochs = config.epochs
        num_val = len(self._training.splits.validation)
        num_photos = len(photos.labels)
        per_epoch = (num_photos + num_val * _JUDGING) / len(photos.fit)
        passes = (
            photos.num_views(candidate.augment, epochs)
            + _VALIDATION * num_val / num_photos
        )
        return (
            epochs * self._seconds_per_epoch(candidate) * per_epoch
            + passes * photos.seconds_per_pass * num_photos / len(photos.fit)
            + _COMPILATION
            + _REPORT
            + _REPORT_OF_PHOTO * (num_photos + num_val)
        )

    def _seconds_per_epoch(self, candidate):
        """Returns those of a trial without compilation, if there was one."""
        of_point = self._trials_of_point(candidate)
        if not of_point:  # twice the longest so far
            every = [x.seconds_per_epoch for x in self._record.trials]
            return 2 * max(every, default=0.0)
        return min(x.seconds_per_epoch for x in of_point)

    def _trials_of_point(self, candidate):
        return [
            x
            for x in self._record.trials
            if x.candidate.unfreeze_from == candidate.unfreeze_from and x.epochs
        ]
