"""What each stage trains on, and where that is kept."""

import dataclasses
from collections.abc import Sequence

import keras

from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer
from thaw.cache.folder import CacheFolder
from thaw.cache.key import cache_key
from thaw.cache.shards import FeatureCache


@dataclasses.dataclass(frozen=True)
class StageInput:
    """What a stage trains on.

    Attributes:
        boundary: Boundary tensors of the model.
        train_cache: Cache of them, for the photos to train on.
        val_cache: The same for the photos to validate on.
    """

    boundary: list
    train_cache: FeatureCache
    val_cache: FeatureCache


def plan_stage_inputs(
    model: keras.Model,
    stages: Sequence,
    train_views,
    val_views,
    folder: CacheFolder | None,
    *,
    num_views: int,
    dtype: str,
    batch_size: int,
    steps_per_epoch: int,
    device: str,
) -> list[StageInput]:
    """Returns what each stage trains on, with its caches.

    What they will take is known, and said, before anything is computed. Where
    there is no room for it, fewer views are kept, or none.

    Args:
        model: Model of `build_model`.
        stages: `thaw.training.stage.Stage` of the run, in order.
        train_views: `thaw.data.datasets.PhotoViews` to train on.
        val_views: The same to validate on.
        folder: Where to keep the tensors; None: nowhere.
        num_views: Views to keep of each photo to train on; no more are than
            a stage sees; 0: none, those to validate on have one all the same.
        dtype: float16 or float32, of what is kept.
        batch_size: Photos per step, on which the frozen part runs at a time.
        steps_per_epoch: Steps per epoch.
        device: Text of `prepare_device`.
    """
    frozen_parts = [
        split(model, first_trained_layer(model, stage.unfreeze_from))[0]
        for stage in stages
    ]
    if train_views.augment is None:
        num_views = min(num_views, 1)  # all are the same
    seen = _views_seen(
        stages, steps_per_epoch * batch_size, len(train_views.labels)
    )
    opened = {}  # by key: stages with the same boundary share a cache

    def open_cache(part, views, num_views):
        # Where nothing with weights is frozen there is nothing to save.
        if folder is None or not num_views or not part.weights:
            uncached = FeatureCache(_shapes(part), len(views.labels))
            uncached.lacks_room = folder is None and num_views > 0
            return uncached
        key = cache_key(
            part,
            photos=views.contents.fingerprint(),
            augment=repr(views.augment),
            dtype=dtype,
            batch_size=batch_size,
            device=device,
        )
        if key not in opened:
            opened[key] = FeatureCache(
                _shapes(part),
                len(views.labels),
                num_views=num_views,
                dtype=dtype,
                folder=folder,
                key=key,
            )
        opened[key].num_views = max(opened[key].num_views, num_views)
        return opened[key]

    inputs = [
        StageInput(
            part.outputs,
            open_cache(part, train_views, min(num_views, of_stage)),
            open_cache(part, val_views, 1),
        )
        for part, of_stage in zip(frozen_parts, seen, strict=True)
    ]
    if opened:
        _make_room(folder, opened.values())
    return inputs


def _views_seen(stages, photos_per_epoch, num_photos):
    """Returns how many views of a photo each stage sees without a cache."""
    seen, start = [], 0
    for stage in stages:
        end = start + stage.epochs * photos_per_epoch
        passes = (end - 1) // num_photos - start // num_photos + 1
        seen.append(1 if stage.one_view else max(passes, 1))
        start = end
    return seen


def _make_room(folder, caches):
    """Lowers the views that each cache keeps to what there is room for.

    Where one view of each photo is too much already, the largest caches keep
    none: that of an early unfreeze point may be hundreds of times the head's.
    """
    keys = {cache.key for cache in caches}
    room = folder.room_for(keys)
    why = f"there is room for {_gb(room)} in {folder.path} (--cache_limit_gb)"

    def needed(num_views):
        return sum(
            cache.bytes_per_view * min(cache.num_views, num_views)
            for cache in caches
        )

    too_much = needed(1)
    for cache in sorted(caches, key=lambda cache: -cache.bytes_per_view):
        if needed(1) > room:
            cache.num_views = 0
            cache.lacks_room = True
    if needed(1) < too_much:
        what = " for the largest features" if needed(1) else ""
        print(
            f"Cache off{what}: one view of each photo takes {_gb(too_much)}, "
            f"{why}"
        )
    asked = max(cache.num_views for cache in caches)
    num_views = next((n for n in range(asked, 0, -1) if needed(n) <= room), 0)
    if not num_views:
        return
    if num_views < asked:
        print(f"Cache: {num_views} views of each photo, not {asked}: {why}")
    for cache in caches:
        cache.lacks_room |= cache.num_views > num_views
        cache.num_views = min(cache.num_views, num_views)
    folder.make_room(keys, needed(num_views), room)
    stored = sum(folder.size(key) for key in keys)
    views = f"{num_views} views of each photo take"
    if num_views == 1:
        views = "1 view of each photo takes"
    print(
        f"Cache: {views} {_gb(needed(num_views))} in {folder.path}; "
        f"{_gb(stored)} is there"
    )


def _gb(num_bytes):
    return f"{num_bytes / 1e9:.2f} GB"


def _shapes(part):
    return [tensor.shape[1:] for tensor in part.outputs]
