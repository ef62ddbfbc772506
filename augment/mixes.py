"""Changes to a whole batch, by Keras's own layers: what no cache can keep."""

import keras
import numpy as np

_STREAM = 2  # of the random numbers of a pass; see `augment.parameters`


class Mixes:
    """RandAugment, MixUp and CutMix, as a pure function of (seed, pass, batch).

    RandAugment (Cubuk et al. 2020, arXiv:1909.13719), MixUp (Zhang et al.
    2018, arXiv:1710.09412) and CutMix (Yun et al. 2019, arXiv:1905.04899) with
    the numbers of keras.layers; RandAugment there picks its two changes by the
    batch. Given both MixUp and CutMix, each batch takes one of them.

    Attributes:
        num_targets: Numbers that say what is on a mixed image, T: 1 for two
            classes, else one for each; None where labels stay as they are.
    """

    def __init__(
        self,
        seed: int,
        num_classes: int,
        *,
        randaugment: bool = False,
        mixup: bool = False,
        cutmix: bool = False,
    ):
        """Makes the layers.

        Args:
            seed: Seed of the run, in [0, 2**64).
            num_classes: Number of classes, C.
            randaugment, mixup, cutmix: Which of them to do.
        """
        self._seed = seed
        self._changers, self._mixers = [], []
        # Pixels keep their precision, whatever the model computes in.
        photos = {"dtype": "float32", "data_format": "channels_last"}
        if randaugment:
            self._changers.append(keras.layers.RandAugment(**photos))
        if mixup:
            self._mixers.append(keras.layers.MixUp(**photos))
        if cutmix:
            self._mixers.append(keras.layers.CutMix(**photos))
        self.num_targets: int | None = None
        if self._mixers:
            self.num_targets = 1 if num_classes == 2 else num_classes

    def __call__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        pass_index: int,
        batch: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the changed images, and what is on them.

        Args:
            images: float32 (B, H, W, 3), RGB in [0, 255].
            labels: Their classes, int (B,).
            pass_index: Which pass over all photos, from 0.
            batch: Which batch of the pass, from 0.

        Returns:
            Images of the same shape, and the labels, or targets float32
            (B, T): the share of class 1 where T is 1, else that of each.
        """
        key = np.array([self._seed, pass_index], dtype="uint64")
        bits = np.random.Philox(key=key, counter=[0, 0, batch, _STREAM])
        random = np.random.Generator(bits)
        layers = list(self._changers)
        targets = labels
        if self.num_targets is not None:
            targets = labels[:, None].astype("float32")
            if self.num_targets > 1:
                targets = np.eye(self.num_targets, dtype="float32")[labels]
            layers.append(self._mixers[random.integers(len(self._mixers))])
        batch = {"images": images, "labels": targets}
        for layer in layers:
            layer.generator.state.assign(random.integers(2**31, size=2))
            batch = layer(batch)
        return tuple(
            keras.ops.convert_to_numpy(batch[name])
            for name in ("images", "labels")
        )
