"""The features of a run as a job: all that a worker elsewhere needs."""

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any

import keras

from thaw.cache.folder import CacheFolder
from thaw.cache.runtime import Runtime
from thaw.cache.shards import FeatureCache
from thaw.config import TrainConfig
from thaw.data.prepare import Splits
from thaw.device import prepare_device
from thaw.errors import UserError
from thaw.runs import model_file
from thaw.training import plan
from thaw.training.caching import cache_path
from thaw.training.filling import Filling, with_other_caches
from thaw.training.prepared import Prepared
from thaw.training.stage import Views

_MODEL = "model.keras"


class _WrittenOnly(CacheFolder):
    """The folder of a worker, which doesn't look for what is stored.

    What is missing is known: its units are.
    """

    def files(self, key):
        return []


@dataclasses.dataclass(frozen=True)
class FeatureJob:
    """The job that fills the caches of a run in another process.

    Attributes:
        config: Options of the run, all decided.
        unfreeze_from: Unfreeze point.
        model: Content of a file of the model.
        splits: Photos of both splits.
        runtime: What computes the frozen part.
        caches: Layout and number of views of the caches of each stage, of both
            splits.
        folder: Path of the folder of the caches.
        probe: Name of a file in it.
        photo: Path of a photo that is a file here, or None.
        device: Text of `thaw.device.prepare_device`.
    """

    config: TrainConfig
    unfreeze_from: str
    model: bytes
    splits: Splits
    runtime: Runtime
    caches: list[list[tuple[dict, int]]]
    folder: str
    probe: str
    photo: str | None
    device: str
    same_device = True

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages whose versions count, beside Thaw's own."""
        return self.runtime.packages

    @classmethod
    def of(cls, prepared: Prepared, probe: str) -> "FeatureJob":
        """Returns the job of a run.

        Args:
            prepared: The run.
            probe: Name of a file in the folder of its caches.
        """
        splits = prepared.splits
        with tempfile.TemporaryDirectory(prefix="thaw-") as folder:
            path = Path(folder, _MODEL)
            model_file.save_model(
                path, prepared.model, splits.train.class_names
            )
            model = path.read_bytes()
        first, *_ = splits.train.paths
        caches: Any = [(x.train_cache, x.val_cache) for x in prepared.stages]
        return cls(
            prepared.config,
            prepared.unfreeze_from,
            model,
            splits,
            prepared.settings.runtime,
            [[(x.layout, x.num_views) for x in both] for both in caches],
            cache_path(prepared.config),
            probe,
            first if os.path.exists(first) else None,
            prepared.device,
        )

    def start(self) -> Filling:
        """Returns the `Filling` of this process.

        Raises:
            UserError: If it doesn't see the cache or the photos.
        """
        if not Path(self.folder, self.probe).is_file():
            raise UserError(
                f"a worker there doesn't see the cache folder {self.folder}. "
                "Give one that all machines share: `cache_dir`"
            )
        if self.photo is not None and not os.path.exists(self.photo):
            raise UserError(
                f"a worker there doesn't see the photo {self.photo}. All "
                "machines need the photos under the same path."
            )
        prepare_device()
        keras.config.set_dtype_policy(self.config.precision)
        folder = _WrittenOnly(self.folder, 0)
        return Filling(with_other_caches(self._prepare(), folder))

    def _prepare(self) -> Prepared:
        """Returns the run, with caches of no folder."""
        config, (train, *_) = self.config, self.splits
        with tempfile.TemporaryDirectory(prefix="thaw-") as folder:
            path = Path(folder, _MODEL)
            path.write_bytes(self.model)
            model = model_file.load_model(path, train.class_names)
        settings = plan.make_settings(
            config, model, train.labels, len(train.class_names)
        )
        stages = plan.make_stages(config, model, self.unfreeze_from)
        opened = {}  # by key: stages share them

        def open_cache(layout, num_views):
            cache = FeatureCache(**layout, num_views=num_views)
            return opened.setdefault(layout["key"] or id(cache), cache)

        for stage, caches in zip(stages, self.caches, strict=False):
            stage.train_cache, stage.val_cache = (
                open_cache(*of_split) for of_split in caches
            )
        views = plan.make_views(config, model, self.splits)
        # Other views of a photo are in units of other workers.
        train_views = dataclasses.replace(views.train, kept=None)
        clean = train_views
        if views.clean is not views.train:
            clean = dataclasses.replace(views.clean, kept=None)
        return Prepared(
            config=config,
            model=model,
            unfreeze_from=self.unfreeze_from,
            splits=self.splits,
            stages=stages[: len(self.caches)],  # of a search the first only
            settings=dataclasses.replace(settings, runtime=self.runtime),
            views=Views(train_views, clean, views.validation),
            device=self.device,
        )
