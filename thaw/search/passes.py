"""Number of photos that the frozen part computes in each epoch."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from thaw.training.lr_finder import NUM_STEPS
from thaw.training.position import TrainingPosition
from thaw.training.stage import Settings, Stage, Views


@dataclasses.dataclass
class Computed:
    """Numbers of photos whose boundary tensors are not stored.

    Attributes:
        decoded: Training photos that are read from their files.
        kept: Training photos that are in memory from another view.
        validated: Validation photos.
    """

    decoded: int = 0
    kept: int = 0
    validated: int = 0


class FrozenPasses:
    """The passes of a run over its photos, in order, on what is stored.

    They are those of `thaw.cache.features.Features`, without computing.
    """

    def __init__(
        self, stages: Sequence[Stage], settings: Settings, views: Views
    ):
        """Looks into the caches of the stages; what is stored is verified.

        Args:
            stages: Stages of the run, with their caches.
            settings: Settings of the run.
            views: Views of the photos.
        """
        self._stages, self._settings = stages, settings
        self._views = views
        self._stored = {}  # of each cache and view, bool (N,)
        self._decoded = np.zeros(len(views.train.labels), bool)

    def epochs(self, number: int, position: TrainingPosition) -> list[Computed]:
        """Returns what the epochs of a stage compute that are still to come.

        Stages are to be asked for in their order.

        Args:
            number: Number of the stage.
            position: Where the stage is.
        """
        stage, settings = self._stages[number], self._settings
        num_photos = len(self._decoded)
        if stage.solver is not None:
            computed = self._train(number, 0, 0, num_photos)
            return [self._validate(number, computed)]
        per_epoch = settings.photos_per_epoch
        first_pass = position.epochs_before * per_epoch // num_photos
        epochs = []
        start = position.epoch * per_epoch + (
            position.step * settings.batch_size
        )
        searched = Computed()
        if position.learning_rate == "find":
            end = start + NUM_STEPS * settings.batch_size
            searched = self._stream(number, first_pass, start, end)
        end_epoch = position.epochs_before + stage.epochs
        for epoch in range(position.epoch, end_epoch):
            end = (epoch + 1) * per_epoch
            computed = self._stream(number, first_pass, start, end)
            epochs.append(self._validate(number, computed))
            start = end
        if not epochs:
            return [searched] if position.learning_rate == "find" else []
        epochs[0].decoded += searched.decoded
        epochs[0].kept += searched.kept
        return epochs

    def report(self) -> Computed:
        """Returns what the report computes, after all stages."""
        last = len(self._stages) - 1
        num_photos = len(self._decoded)
        computed = self._train(last, 0, 0, num_photos)
        return self._validate(last, computed)

    def _stream(self, number, first_pass, start, end):
        """Returns what some photos of the endless stream need."""
        num_photos = len(self._decoded)
        total = Computed()
        while start < end:
            pass_index, skipped = divmod(start, num_photos)
            stop = min(end, (pass_index + 1) * num_photos)
            of_pass = self._train(
                number,
                pass_index,
                skipped,
                skipped + stop - start,
                pass_index - first_pass,
            )
            total.decoded += of_pass.decoded
            total.kept += of_pass.kept
            start = stop
        return total

    def _train(self, number, pass_index, start, stop, view=0):
        """Returns what photos of a pass need, which are stored then."""
        stage = self._stages[number]
        views = self._views.of(stage)
        same = [x for x in self._stages[number:] if self._views.of(x) is views]
        cache, *later = _different(x.train_cache for x in same)
        rows = views.order(pass_index)[start:stop]
        if self._settings.mix is None or not stage.augmented:
            if cache.num_views:
                view %= cache.num_views
            rows = rows[~self._of(cache, view)[rows]]
            for each in (cache, *later):
                self._of(each, view)[rows] = each.num_views > 0
        count = len(rows)
        if views.kept is None:
            return Computed(decoded=count)
        new = np.count_nonzero(~self._decoded[rows])
        self._decoded[rows] = True
        return Computed(decoded=new, kept=count - new)

    def _validate(self, number, computed):
        """Adds the validation photos that an epoch computes."""
        stages = self._stages[number:]
        cache, *later = _different(x.val_cache for x in stages)
        missing = ~self._of(cache, 0)
        computed.validated = int(np.count_nonzero(missing))
        for each in (cache, *later):
            self._of(each, 0)[missing] = each.num_views > 0
        return computed

    def _of(self, cache, view):
        key = id(cache), view
        if key not in self._stored:
            self._stored[key] = cache.stored(view).copy()
        return self._stored[key]


def _different(caches):
    """Returns the caches, each once, in order."""
    return list({id(cache): cache for cache in caches}.values())
