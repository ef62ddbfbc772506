"""Features: outputs of the frozen part, inputs of the trained part."""

import itertools
import weakref
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from thaw.cache.frozen_part import FrozenPart
from thaw.cache.photo_stream import PhotoStream
from thaw.cache.producer import Producer
from thaw.cache.shards import FeatureCache
from thaw.cache.side_by_side import map_side_by_side
from thaw.data.views import without_autotuner

_AHEAD = 3  # batches that are ready before they are asked for


class Features:
    """frozen(view of photo) in batches, cached or not.

    The same batches come out whatever was in the caches. They are made ahead,
    in a thread: the frozen part computes while the trained part learns.

    Attributes:
        num_photos: Number of photos.
        caches: The caches that it fills; batches hold the tensors of the first.
        error: What went wrong in the thread that makes the batches, or None.
    """

    def __init__(
        self,
        frozen: FrozenPart,
        caches: Sequence[FeatureCache],
        views,
        mix=None,
    ):
        """Joins the frozen part, its caches and the photos.

        Args:
            frozen: Frozen part with the boundaries of the same `caches`; its
                batch size is that of the batches, B.
            caches: Caches to fill; batches hold the tensors of the first.
            views: Object like `thaw.data.views.PhotoViews`.
            mix: Object like `augment.Mixes`, or None; the caches must keep
                nothing then.
        """
        self.num_photos = len(views.labels)
        self.error = None
        self._frozen = frozen
        self.caches = caches
        self._views = views
        self._batch_size = frozen.batch_size
        self._mix = mix
        self._producers = weakref.WeakSet()

    def endless(
        self,
        first_photo: int = 0,
        first_pass: int = 0,
        class_weight: Mapping[int, float] | None = None,
    ) -> tf.data.Dataset:
        """Returns endless batches, pass after pass without a gap.

        So every batch is full, and an epoch may have any number of steps.

        Args:
            first_photo: How many photos of the stream to leave out.
            first_pass: The pass that sees view 0; the next sees view 1, and so
                on, as far as the cache has views, then view 0 again.
            class_weight: Weight of each class, or None.

        Returns:
            `tf.data.Dataset` of (boundary tensors as a tuple, (B, ...) in the
            dtype of the cache, which Keras casts; labels int32 (B,), or the
            float32 targets of `mix`); and, with `class_weight`, the weight of
            each photo, float32 (B,).
        """
        start, skipped = divmod(first_photo, self.num_photos)

        def batches():
            passes = (
                self._pass(
                    pass_index,
                    view=pass_index - first_pass,
                    skip=skipped if pass_index == start else 0,
                )
                for pass_index in itertools.count(start)
            )
            photos = PhotoStream(itertools.chain.from_iterable(passes))
            while True:
                yield photos.take(self._batch_size)

        ds = self._make_ds(batches)
        if class_weight is None:
            return ds
        weights = tf.constant([class_weight[x] for x in sorted(class_weight)])
        return ds.map(lambda x, labels: (x, labels, tf.gather(weights, labels)))

    def describe_batch(self, first_photo: int) -> str:
        """Returns the names of photos of the batch that starts there."""
        rows = []
        while len(rows) < self._batch_size:
            pass_index, skipped = divmod(
                first_photo + len(rows), self.num_photos
            )
            rows.extend(self._views.order(pass_index)[skipped:])
        return self.describe_photos(rows[: self._batch_size])

    def describe_photos(self, rows: Sequence[int] | np.ndarray) -> str:
        """Returns the names of the first of some photos."""
        return self._views.describe(rows)

    def one_pass(self, view: int = 0) -> tf.data.Dataset:
        """Returns a view of every photo; the last batch may be short."""
        steps = -(-self.num_photos // self._batch_size)
        ds = self._make_ds(lambda: self._pass(0, view))
        return ds.apply(tf.data.experimental.assert_cardinality(steps))

    def fill(self, view: int, rows: np.ndarray) -> Iterator[None]:
        """Computes what the caches lack of some photos; yields after batches.

        Args:
            view: View of the photos.
            rows: Their rows.
        """
        missing = rows[~self.caches[0].stored(view)[rows]]
        for _ in self._compute(view, missing):
            yield

    def close(self) -> None:
        """Ends all threads, and writes what the caches hold in memory."""
        for producer in list(self._producers):
            producer.close()
        for cache in self.caches:
            cache.flush()

    def _pass(self, pass_index, view, skip=0) -> Iterator:
        """Yields (labels, boundary tensors) of some photos of a pass each."""
        cache, *_ = self.caches
        if cache.num_views:  # else each pass sees a view of its own
            view %= cache.num_views
        order = self._views.order(pass_index)
        if self._mix is not None:
            # What comes of a photo depends on the batch it is in.
            batch = skip // self._batch_size
            start = batch * self._batch_size
            mixed = self._compute(view, order[start:], pass_index, batch)
            for labels, tensors in mixed:
                left_out = max(skip - start, 0)
                start += len(labels)
                yield labels[left_out:], [x[left_out:] for x in tensors]
            return
        order = order[skip:]
        stored = cache.stored(view)
        computed = PhotoStream(self._compute(view, order[~stored[order]]))
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            there = stored[rows]
            if there.all():
                tensors = cache.read(view, rows)
            else:
                _, tensors = computed.take(int(np.count_nonzero(~there)))
            if there.any() and not there.all():
                known = cache.read(view, rows[there])
                tensors = [
                    _merged(there, some, others)
                    for some, others in zip(known, tensors, strict=True)
                ]
            yield self._views.labels[rows], tensors

    def _compute(self, view, rows, pass_index=None, batch=None) -> Iterator:
        """Yields (labels, boundary tensors) of batches of the photos in `rows`.

        Args:
            view: View of the photos.
            rows: Their rows.
            pass_index, batch: Where the mixes start.
        """
        if not len(rows):
            return
        missing = [~cache.stored(view) for cache in self.caches]
        batches = self._images(view, rows, pass_index, batch)
        computed = map_side_by_side(self._with_outputs, batches)
        for batch_rows, labels, outputs in computed:
            unchanged = self._views.unchanged(batch_rows)
            of_next = iter(outputs)
            for cache, missed in zip(self.caches, missing, strict=True):
                tensors = itertools.islice(of_next, len(cache.shapes))
                kept = np.flatnonzero(missed[batch_rows] & unchanged)
                if len(kept) < len(batch_rows):
                    tensors = [array[kept] for array in tensors]
                cache.append(view, batch_rows[kept], list(tensors))
            yield labels, outputs[: len(self.caches[0].shapes)]

    def _images(self, view, rows, pass_index, batch):
        """Yields (rows, labels, images) of batches, mixed if they are to be."""
        images_ds = self._views.images(view, rows, self._batch_size)
        for number, images in enumerate(images_ds):
            batch_rows, rows = np.split(rows, [len(images)])
            labels = self._views.labels[batch_rows]
            if self._mix is not None:
                images, labels = self._mix(
                    images.numpy(), labels, pass_index, batch + number
                )
            yield batch_rows, labels, images

    def _with_outputs(self, batch):
        rows, labels, images = batch
        return rows, labels, self._frozen(images)

    def _make_ds(self, make_batches):
        cache, *_ = self.caches

        def batches():
            with Producer(make_batches, _AHEAD) as producer:
                self._producers.add(producer)
                try:
                    for labels, tensors in producer:
                        yield tuple(tensors), labels
                except Exception as error:
                    self.error = error  # TensorFlow keeps its text only
                    raise

        tensors = tuple(
            tf.TensorSpec((None, *shape), cache.dtype) for shape in cache.shapes
        )
        labels = tf.TensorSpec((None,), "int32")
        if self._mix is not None and self._mix.num_targets:
            labels = tf.TensorSpec((None, self._mix.num_targets), "float32")
        ds = tf.data.Dataset.from_generator(
            batches, output_signature=(tensors, labels)
        )
        return without_autotuner(ds)


def _merged(there, some, others):
    """Returns one array of photos, some of which are there already."""
    merged = np.empty((len(there), *some.shape[1:]), some.dtype)
    merged[there], merged[~there] = some, others
    return merged
