"""Feature caches of the stages, and their numbers of views."""

import dataclasses
from collections.abc import Sequence

from thaw.cache.folder import CacheFolder
from thaw.cache.key import cache_key
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.shards import FeatureCache
from thaw.progress import say

_PASSES_OF_A_VIEW = 5


@dataclasses.dataclass(frozen=True)
class CacheSettings:
    """Settings of the feature cache.

    Attributes:
        folder: Where to keep the tensors; None: nowhere.
        num_views: Views to keep of each training photo; no more are than a
            stage sees; 0: none, the validation photos have one all the same.
        dtype: float16 or float32, of the cached tensors.
        batch_size: Photos on which the frozen part runs at a time.
        device: Text of `thaw.device.device_kind`.
    """

    folder: CacheFolder | None
    num_views: int
    dtype: str
    batch_size: int
    device: str


def choose_num_views(
    stages: Sequence, photos_per_epoch: int, num_photos: int
) -> int:
    """Returns how many views of each photo are worth their frozen passes.

    One per five passes of the longest stage: docs/how-it-works.md.

    Args:
        stages: `thaw.training.stage.Stage` of the run, in order.
        photos_per_epoch: Photos that an epoch sees.
        num_photos: Photos to train on.
    """
    return num_views_of(max(_views_seen(stages, photos_per_epoch, num_photos)))


def num_views_of(num_passes: int) -> int:
    """Returns how many views of each photo so many passes are worth."""
    return max(1, round(num_passes / _PASSES_OF_A_VIEW))


def plan_caches(
    stages: Sequence,
    views,
    photos_per_epoch: int,
    settings: CacheSettings,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> list[tuple[FeatureCache, FeatureCache]]:
    """Returns the caches of each stage, of training and validation photos.

    Their size is known, and printed, before anything is computed. Where there
    is no room, fewer views are kept, or none. Stages with the same boundary
    share their caches.

    Args:
        stages: `thaw.training.stage.Stage` of the run, in order.
        views: `thaw.training.stage.Views` of the run.
        photos_per_epoch: Photos that an epoch sees.
        settings: How features are cached.
        runtime: What computes them for the photos to train on.
    """
    seen = _views_seen(stages, photos_per_epoch, len(views.train.labels))
    opened = {}
    num_views = _views_kept(settings.num_views, views.train)
    caches = [
        (
            open_cache(
                stage.parts[0],
                views.of(stage),
                min(num_views, of_stage) if stage.augmented else 1,
                settings,
                runtime,
                opened,
            ),
            open_cache(
                stage.parts[0],
                views.validation,
                1,
                settings,
                DEFAULT_RUNTIME,
                opened,
            ),
        )
        for stage, of_stage in zip(stages, seen, strict=True)
    ]
    if opened:
        _make_room(settings.folder, opened.values())
    return caches


def count_computed(
    stages: Sequence, views, photos_per_epoch: int, num_views: int
) -> int:
    """Returns how many photos the frozen part computes, of both splits.

    Args:
        stages, views, photos_per_epoch: As in `plan_caches`.
        num_views: Views to keep of each photo to train on; 0: none.
    """
    seen = _views_seen(stages, photos_per_epoch, len(views.train.labels))
    augmented = [n for x, n in zip(stages, seen, strict=True) if x.augmented]
    num_views = _views_kept(num_views, views.train)
    passes = sum(augmented)
    if num_views:
        passes = min(num_views, max(augmented, default=0))
    is_shared = views.clean is views.train and passes == 1
    if len(augmented) < len(stages) and not is_shared:
        passes += 1  # of photos as they are
    return passes * len(views.train.labels) + len(views.validation.labels)


def _views_kept(num_views, views):
    """Returns how many views of a photo are worth keeping."""
    return num_views if views.augment else min(num_views, 1)


def open_cache(frozen, views, num_views, settings, runtime, opened):
    """Returns the cache of a frozen part, opened once for each key.

    Args:
        frozen: Model from photos to boundary tensors.
        views: `thaw.data.views.PhotoViews`.
        num_views: Views to keep; 0: none.
        settings: How features are cached.
        runtime: What computes them.
        opened: Caches by key, to which it is added.
    """
    shapes = [tensor.shape[1:] for tensor in frozen.outputs]
    # Where nothing with weights is frozen there is nothing to save.
    if settings.folder is None or not num_views or not frozen.weights:
        uncached = FeatureCache(shapes, len(views.labels))
        uncached.lacks_room = settings.folder is None and settings.num_views > 0
        return uncached
    key = cache_key(
        frozen,
        photos=views.photos.fingerprint(),
        augment=repr(views.augment),
        dtype=settings.dtype,
        batch_size=settings.batch_size,
        device=settings.device,
        runtime=runtime,
    )
    if key not in opened:
        opened[key] = FeatureCache(
            shapes,
            len(views.labels),
            num_views=num_views,
            dtype=settings.dtype,
            folder=settings.folder,
            key=key,
        )
    opened[key].num_views = max(opened[key].num_views, num_views)
    return opened[key]


def _views_seen(stages, photos_per_epoch, num_photos):
    """Returns how many views of a photo each stage sees without a cache."""
    seen, start = [], 0
    for stage in stages:
        end = start + stage.epochs * photos_per_epoch
        passes = (end - 1) // num_photos - start // num_photos + 1
        seen.append(max(passes, 1) if stage.augmented else 1)
        start = end
    return seen


def _make_room(folder, caches):
    """Lowers the views that each cache keeps to what there is room for.

    Where one view of each photo is too much already, the largest caches keep
    none: that of an early unfreeze point may be hundreds of times the head's.
    """
    keys = {cache.key for cache in caches}
    room = folder.room_for(keys)
    why = f"there is room for {_gb(room)} in {folder.path} (`cache_limit_gb`)"

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
        say(
            f"Cache off{what}: one view of each photo takes {_gb(too_much)}, "
            f"{why}"
        )
    asked = max(cache.num_views for cache in caches)
    num_views = next((n for n in range(asked, 0, -1) if needed(n) <= room), 0)
    if not num_views:
        return
    if num_views < asked:
        say(f"Cache: {num_views} views of each photo, not {asked}: {why}")
    for cache in caches:
        cache.lacks_room |= cache.num_views > num_views
        cache.num_views = min(cache.num_views, num_views)
    folder.make_room(keys, needed(num_views), room)
    stored = sum(folder.size(key) for key in keys)
    views = f"{num_views} views of each photo take"
    if num_views == 1:
        views = "1 view of each photo takes"
    say(
        f"Cache: {views} {_gb(needed(num_views))} in {folder.path}; "
        f"{_gb(stored)} is stored already"
    )


def _gb(num_bytes):
    return f"{num_bytes / 1e9:.2f} GB"
