"""Features: outputs of the frozen part, inputs of the trained part."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from thaw.cache.shards import FeatureCache


class Features:
    """frozen(view of photo) in batches, cached or not.

    The frozen part runs in inference mode (a frozen Dropout would stay on
    otherwise), always on `batch_size` images: the size of a batch changes the
    last bits of a convolution, so a short batch is padded and cut back. What
    comes of a photo then does not depend on the photos beside it, and the same
    batches come out whatever was in the caches.

    Attributes:
        num_photos: Number of photos.
        error: What went wrong in the thread that makes the batches, or None.
    """

    def __init__(
        self,
        frozen: keras.Model,
        caches: Sequence[FeatureCache],
        views,
        batch_size: int,
        mix=None,
    ):
        """Joins the frozen part, its caches and the photos.

        Args:
            frozen: Model of `make_frozen_part`, of the same `caches`.
            caches: Caches to fill; batches hold the tensors of the first.
            views: Object like `thaw.data.views.PhotoViews`.
            batch_size: Photos per batch, B.
            mix: Object like `augment.Mixes`, or None; the caches must keep
                nothing then.
        """
        self.num_photos = len(views.labels)
        self.error = None
        self._frozen = frozen
        self._caches = caches
        self._views = views
        self._batch_size = batch_size
        self._mix = mix

    def endless(
        self,
        first_photo: int = 0,
        first_pass: int = 0,
        one_view: bool = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> tf.data.Dataset:
        """Returns endless batches, pass after pass without a gap.

        So every batch is full, and an epoch may have any number of steps.

        Args:
            first_photo: How many photos of the stream to leave out.
            first_pass: The pass that sees view 0; the next sees view 1, and so
                on, as far as the cache has views, then view 0 again.
            one_view: Whether all passes see view 0.
            class_weight: Weight of each class, or None.

        Returns:
            `tf.data.Dataset` of (boundary tensors as a tuple, (B, ...) in the
            dtype of the cache, which Keras casts; labels int32 (B,), or the
            float32 targets of `mix`); and, with `class_weight`, the weight of
            each photo, float32 (B,).
        """
        start, skipped = divmod(first_photo, self.num_photos)

        def photos():
            for pass_index in itertools.count(start):
                yield from self._photos_of_pass(
                    pass_index,
                    view=0 if one_view else pass_index - first_pass,
                    skip=skipped if pass_index == start else 0,
                )

        ds = self._make_ds(photos)
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
        return self._views.describe(rows[: self._batch_size])

    def one_pass(self, view: int = 0) -> tf.data.Dataset:
        """Returns a view of every photo; the last batch may be short."""
        steps = -(-self.num_photos // self._batch_size)
        ds = self._make_ds(lambda: self._photos_of_pass(0, view))
        return ds.apply(tf.data.experimental.assert_cardinality(steps))

    def flush(self) -> None:
        """Writes what the caches hold in memory."""
        for cache in self._caches:
            cache.flush()

    def _photos_of_pass(self, pass_index, view, skip=0) -> Iterator:
        """Yields (label, boundary tensors) of each photo."""
        cache, *_ = self._caches
        if cache.num_views:  # else each pass sees a view of its own
            view %= cache.num_views
        order = self._views.order(pass_index)
        if self._mix is not None:
            # What comes of a photo depends on the batch it is in.
            batch = skip // self._batch_size
            start = batch * self._batch_size
            mixed = self._compute(view, order[start:], pass_index, batch)
            yield from itertools.islice(mixed, skip - start, None)
            return
        order = order[skip:]
        stored = cache.stored(view)
        computed = self._compute(view, order[~stored[order]])
        for row in order:
            if stored[row]:
                yield self._views.labels[row], cache.read(view, row)
            else:
                yield next(computed)

    def _compute(self, view, rows, pass_index=None, batch=None) -> Iterator:
        """Yields (label, boundary tensors) of each photo in `rows`.

        Args:
            view: View of the photos.
            rows: Their rows.
            pass_index, batch: Where the mixes start.
        """
        if not len(rows):
            return
        missing = [~cache.stored(view) for cache in self._caches]
        images_ds = self._views.images(view, rows, self._batch_size)
        for number, images in enumerate(images_ds.as_numpy_iterator()):
            batch_rows, rows = np.split(rows, [len(images)])
            labels = self._views.labels[batch_rows]
            if self._mix is not None:
                images, labels = self._mix(
                    images, labels, pass_index, batch + number
                )
            unchanged = self._views.unchanged(batch_rows)
            outputs = frozen_features(self._frozen, images, self._batch_size)
            of_next = iter(outputs)
            for cache, missed in zip(self._caches, missing, strict=True):
                tensors = itertools.islice(of_next, len(cache.shapes))
                kept = missed[batch_rows] & unchanged
                cache.append(
                    view, batch_rows[kept], [array[kept] for array in tensors]
                )
            first = outputs[: len(self._caches[0].shapes)]
            yield from zip(labels, zip(*first, strict=True), strict=True)

    def _make_ds(self, photos):
        cache, *_ = self._caches

        def batches():
            stream = photos()
            try:
                while batch := list(itertools.islice(stream, self._batch_size)):
                    labels, tensors = zip(*batch, strict=True)
                    yield (
                        tuple(map(np.stack, zip(*tensors, strict=True))),
                        np.array(labels),
                    )
            except Exception as error:  # TensorFlow would keep its text only
                self.error = error
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
        # Its thread keeps the end of a pass waiting until it next wakes up,
        # seconds later, and there is nothing here to tune.
        options = tf.data.Options()
        options.autotune.enabled = False
        return ds.with_options(options)


def make_frozen_part(
    model: keras.Model, boundaries: Sequence[tuple[Sequence, str]]
) -> keras.Model:
    """Returns one model that makes the boundary tensors of several stages.

    Args:
        model: Model of `build_model`.
        boundaries: Boundary tensors of each stage, and the dtype to cast them
            to.

    Returns:
        Model from resized photos, as the layer `resize` of `model` gives them,
        to the boundary tensors of the first stage, then those of the next.
    """
    outputs = [
        keras.ops.cast(tensor, dtype)
        for tensors, dtype in boundaries
        for tensor in tensors
    ]
    return keras.Model(model.get_layer("resize").output, outputs, name="frozen")


def frozen_features(
    frozen: keras.Model, images: np.ndarray, batch_size: int
) -> tuple[np.ndarray, ...]:
    """Returns the boundary tensors of up to `batch_size` images, as arrays."""
    short = batch_size - len(images)
    if short:
        padding = np.zeros((short, *images.shape[1:]), images.dtype)
        images = np.concatenate([images, padding])
    outputs = frozen.predict_on_batch(images)
    return tuple(
        features[: batch_size - short]
        for features in keras.tree.flatten(outputs)
    )
