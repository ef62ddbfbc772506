"""TrainConfig: all options of a training run."""

import dataclasses
import os
from typing import Any, Literal

from model_zoo.backbones import (
    CLASSIC,
    POOLING_MODES,
    PREPROCESS_MODES,
    RESIZE_MODES,
    TINY,
    WEIGHTS,
    is_file,
)
from thaw.data import MAX_PIXELS
from thaw.duration import parse_duration
from thaw.errors import UserError
from thaw.options import Config, option
from thaw.pixel_range import PixelRange

_OPTIMIZER_NUMBERS = {
    "rmsprop": ("rho", "momentum"),
    "adam": ("beta_1", "beta_2"),
    "adamw": ("beta_1", "beta_2"),
    "sgd": ("momentum",),
}
_OF_DENSE = {  # options of the head
    "dropout",
    "head_epochs",
    "head_learning_rate",
    "head_peak_fraction",
    "head_schedule",
    "hidden_units",
}
_SCHEDULES = ("constant", "cosine", "one_cycle")


@dataclasses.dataclass(frozen=True, init=False)
class TrainConfig(Config):
    r"""All that decides the numbers of a run.

    These are the options of `thaw.fine_tune` and of train.py. An unknown name,
    a value out of bounds or a contradiction is a `UserError`.

    Example:

    ```python
    import dataclasses

    import thaw

    config = thaw.TrainConfig(data="photos", unfreeze_from="block5_conv1")
    longer = dataclasses.replace(config, epochs=20)
    ```

    Data:
        data: Folder with one folder of photos per class, or with train/ and
            validation/ of that kind; a .csv or .tsv table with path,label or
            id,label; a .zip or .tar file of these; tar shards, e.g.
            'x-{00..99}.tar'; demo, cats_vs_dogs, cifar10 or mnist.
        class_folders: Which folders in `data` are the classes, e.g. '*,!test'
            or '*/*'. Default: found.
        label_regex: Regular expression whose first group, in the file name, is
            the class, e.g. '(.+)_\d+.jpg$'. Default: the folder is.
        group_regex: What stays in one split: first group of a regular
            expression on the path, e.g. '(patient\d+)_'.
        path_column: Column of a table that names the photos.
        label_column: Column with the labels.
        validation_data: Folder or table to validate on, if not in `data`.
        validation_fraction: Share of each class to validate on.
        rare_classes: For classes of one photo or group.
        limit: Use at most N photos per class, sampled.
        skip_bad: Skip unreadable photos. Optionally set a limit, e.g.
            --skip_bad=5%.
        max_pixels: Reject photos with more.
        pixel_range: Values of black and white, e.g. 0:4095. Default: found.
        image_size: Pixels a side. Default: the backbone's.
        resize: How photos become square.
        batch_size: Photos per step.

    Augmentation:
        augment: Random views of the photos for fine-tuning. affine: the six
            options below; crop: a random part; presize: fastai's; flip:
            mirrored; flip_rotate: mirrored, up to 10 degrees.
        rotation_range: Degrees, either way.
        width_shift_range: Share of the width.
        height_shift_range: Share of the height.
        shear_range: Degrees, either way.
        zoom_range: Zoom, either way, per axis.
        horizontal_flip: Mirror half of the views.
        fill_mode: What is outside the photo.
        randaugment: Then keras.layers.RandAugment.
        mixup: Blend pairs (keras.layers.MixUp).
        cutmix: Paste patches (keras.layers.CutMix); with `mixup`, either.

    Model:
        backbone: Name (--list_backbones), run folder to go on from, .keras file
            of a base, or hub:PRESET. Default: vgg16; vgg16_tiny for the demo.
        weights: imagenet, none (random), a .h5 file, or auto.
        preprocess: Scaling of pixels; auto: as the backbone was trained.
        unfreeze_from: Layer (--list_layers) from which the base trains, none,
            all, or auto: searched for. Default: start of the last block.
        budget: Time for a run that searches, e.g. 10m.
        trials: Instead of a time, trials of a search.
        train_batch_norm: Train unfrozen BatchNormalization.
        cut_at: Last layer of the base. Default: all of it.
        pooling: Features to vector; cls, both: of transformers. auto: flatten
            for VGG, the class token if there is one, else avg.
        head: linear, svm: solved by scikit-learn. dense: Dense, Dropout, Dense.
            Default: dense if one of its options is given, else linear.
        hidden_units: Of head=dense; 0: no hidden layer.
        dropout: Of head=dense.

    Training:
        head_epochs: Epochs of head=dense alone.
        head_learning_rate: Its peak learning rate.
        epochs: Epochs of fine-tuning.
        learning_rate: Peak learning rate for fine-tuning, or `find` to choose
            it with a range test.
        layer_decay: Learning rate of each layer group, relative to the group
            above (head, upper half, lower half).
        schedule: Learning rate schedule.
        head_schedule: The same for the head.
        peak_fraction: Where one_cycle peaks.
        head_peak_fraction: The same for the head.
        div_factor: Peak over first rate of one_cycle.
        temperature: Divisor of the logits of the fine-tuned model.
        optimizer: Optimizer of both stages.
        momentum: Momentum of sgd or rmsprop.
        rho: Of rmsprop.
        beta_1: Of adam and adamw.
        beta_2: Of adam and adamw.
        label_smoothing: Label smoothing.
        class_weights: Weights in the loss.
        early_stopping: Patience in epochs, per stage.
        precision: Dtype policy, for GPUs, and for CPUs that gain from it.
        yardstick: Compare with a solved linear head.
        steps_per_epoch: Steps per epoch. Default: all photos once.
        num_gpus: GPUs that share each batch.
        seed: Random seed.

    Cache:
        frozen_runtime: Runtime of the frozen part.
        frozen_precision: Precision of the frozen part.
        cache_views: Views of each photo whose frozen features are kept; 0:
            none, each pass sees a new one. Default: one per five passes.
        cache_dtype: Dtype of the features.
        cache_dir: Folder of the features. Default: ~/.cache/thaw/features.
        cache_limit_gb: Size limit of that folder.

    Output:
        checkpoint_minutes: Minutes between checkpoints.
        smooth_curves: Smoothing of the curves.
    """

    data: str = option("demo", is_path=True)
    class_folders: tuple[str, ...] | None = option(None)
    label_regex: str | None = option(None)
    group_regex: str | None = option(None)
    path_column: str | None = option(None)
    label_column: str | None = option(None)
    validation_data: str | None = option(None, is_path=True)
    validation_fraction: float = option(0.2, low=0.01, high=0.99)
    rare_classes: str = option("stop", choices=("stop", "train", "drop"))
    limit: int | None = option(None, low=2)
    skip_bad: float = option(0.0, low=0, high=1, is_share=True, alone="100%")
    max_pixels: int = option(MAX_PIXELS, low=1)
    pixel_range: str | None = option(None)
    image_size: int | None = option(None, low=1, high=4096)
    resize: str = option("squash", choices=RESIZE_MODES)
    batch_size: int = option(20, low=1, high=4096)

    augment: str = option(
        "flip",
        choices=("affine", "crop", "presize", "flip_rotate", "flip", "none"),
    )
    rotation_range: float = option(40.0, low=0, high=180)
    width_shift_range: float = option(0.2, low=0, high=1)
    height_shift_range: float = option(0.2, low=0, high=1)
    shear_range: float = option(0.2, low=0, high=80)
    zoom_range: float = option(0.2, low=0, high=0.99)
    horizontal_flip: bool = option(True)
    fill_mode: str = option(
        "nearest", choices=("nearest", "reflect", "wrap", "constant")
    )
    randaugment: bool = option(False)
    mixup: bool = option(False)
    cutmix: bool = option(False)

    backbone: str | None = option(None, is_path=True)
    weights: str = option("auto", is_path=True)
    preprocess: str = option("auto", choices=("auto", *PREPROCESS_MODES))
    unfreeze_from: str | None = option(None)
    budget: str | None = option(None)
    trials: int | None = option(None, low=1)
    train_batch_norm: bool = option(False)
    cut_at: str | None = option(None)
    pooling: str = option("auto", choices=POOLING_MODES)
    head: str | None = option(None, choices=("dense", "linear", "svm"))
    hidden_units: int = option(256, low=0, high=65536)
    dropout: float = option(0.5, low=0, high=0.99)

    head_epochs: int = option(3, low=0)
    head_learning_rate: float | Literal["find"] = option(
        1e-3, low=1e-12, high=100
    )
    epochs: int = option(10, low=0)
    learning_rate: float | Literal["find"] = option(1e-4, low=1e-12, high=100)
    layer_decay: float = option(1.0, low=1e-6, high=1)
    schedule: str = option("cosine", choices=_SCHEDULES)
    head_schedule: str = option("cosine", choices=_SCHEDULES, flag=False)
    peak_fraction: float = option(0.25, low=0.01, high=0.99, flag=False)
    head_peak_fraction: float = option(0.25, low=0.01, high=0.99, flag=False)
    div_factor: float = option(25.0, low=1, high=1e9, flag=False)
    temperature: float = option(1.0, low=0.05, high=20, flag=False)
    optimizer: str = option("adam", choices=tuple(_OPTIMIZER_NUMBERS))
    momentum: float | None = option(None, low=0, high=0.9999)
    rho: float | None = option(None, low=0, high=0.9999, flag=False)
    beta_1: float | None = option(None, low=0, high=0.9999, flag=False)
    beta_2: float | None = option(None, low=0, high=0.999999, flag=False)
    label_smoothing: float = option(0.0, low=0, high=0.99)
    class_weights: str = option("none", choices=("none", "balanced"))
    early_stopping: int | None = option(None, low=1)
    precision: str = option(
        "float32", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    yardstick: bool = option(True)
    steps_per_epoch: int | None = option(None, low=1)
    num_gpus: int = option(1, low=1, high=64)
    seed: int = option(0, low=0, high=2**31 - 1)

    frozen_runtime: str = option(
        "auto", choices=("auto", "tensorflow", "openvino")
    )
    frozen_precision: str = option(
        "auto", choices=("auto", "float32", "bfloat16")
    )
    cache_views: int | None = option(None, low=0, high=9999)
    cache_dtype: str = option("float16", choices=("float16", "float32"))
    cache_dir: str | None = option(None, is_path=True)
    cache_limit_gb: float = option(20.0, low=0)

    checkpoint_minutes: float = option(5.0, low=0.0)
    smooth_curves: float = option(0.0, low=0, high=0.99, flag=False)

    def validate(self) -> None:
        """Raises a `UserError` if options contradict each other."""
        if self.pixel_range is not None:
            PixelRange.parse(self.pixel_range)
        self._check_optimizer()
        if self.searches:
            self._check_search()
        if self.num_gpus > 1:
            self._check_gpus()
        if not (
            self.head_epochs
            or self.epochs
            or self.head_kind != "dense"
            or "find" in (self.learning_rate, self.head_learning_rate)
        ):
            raise UserError(
                "Nothing to train: `head_epochs` and `epochs` are 0. (With "
                "`learning_rate=find`, that draws lr_find.png.)"
            )
        mixing = " and ".join(
            f"`{name}`" for name in ("mixup", "cutmix") if getattr(self, name)
        )
        if mixing and self.batch_size < 2:
            raise UserError(
                f"{mixing} mixes the photos of a batch. Give at least "
                "`batch_size=2`."
            )
        if self.mixes_batches and not self.epochs:
            names = " and ".join(f"`{name}`" for name in self.mixes_batches)
            raise UserError(
                f"{names}: batches are mixed while fine-tuning, and `epochs` "
                "is 0. To train the head on them, give `epochs` and "
                "`unfreeze_from=none`."
            )
        if mixing and self.class_weights != "none":
            raise UserError(
                "`class_weights` needs photos of a single class. Drop it, or "
                f"{mixing}."
            )

    def _check_search(self):
        if self.budget is not None:
            parse_duration(self.budget)
            if self.trials is not None:
                raise UserError("Give `budget` or `trials`, not both.")
        for name in self.mixes_batches:
            raise UserError(
                f"A search trains on cached features, but `{name}` makes new "
                "views in each pass. Drop it, or give `unfreeze_from` a "
                "layer."
            )
        wanted = {
            "epochs": self.epochs > 0,
            "cache_views": self.cache_views != 0,
            "layer_decay": self.layer_decay == 1,
            "learning_rate": self.learning_rate != "find",
        }
        for name, is_right in wanted.items():
            if not is_right:
                raise UserError(
                    "`unfreeze_from=auto` (also: `budget`, `trials`) tries out "
                    "epochs on stored features, with one learning rate. Drop "
                    f"`{name}={getattr(self, name)}`."
                )

    def _check_gpus(self):
        count = self.num_gpus
        if self.batch_size % count:
            most = -(-self.batch_size // count) * count
            raise UserError(
                "`batch_size` is that of all GPUs together, a multiple of "
                f"`num_gpus`. Received: `batch_size={self.batch_size}`, "
                f"`num_gpus={count}`. E.g. `batch_size={most}`."
            )
        if self.searches:
            raise UserError(
                f"`num_gpus={count}`: a search (`unfreeze_from=auto`, "
                "`budget`, `trials`) tries candidates on one GPU. Search "
                "without it; then python train.py --flagfile=RUN/flags.txt "
                f"--num_gpus={count} repeats the final training."
            )
        if self.train_batch_norm:
            raise UserError(
                "`train_batch_norm` takes the statistics of whole batches, "
                f"which `num_gpus={count}` divides. Drop one of them."
            )
        if self.precision == "mixed_float16":
            raise UserError(
                "`precision=mixed_float16` finds the scale of its loss on one "
                f"GPU. With `num_gpus={count}`, use mixed_bfloat16."
            )
        has_steps = self.epochs or self.learning_rate == "find"
        if self.head_kind != "dense" and not has_steps:
            raise UserError(
                f"`num_gpus={count}` divides the steps of training, and "
                f"`head={self.head_kind}` with `epochs=0` has none: "
                "scikit-learn solves that head. Drop `num_gpus`."
            )

    def _check_optimizer(self):
        for name in self.optimizer_arguments():
            fitting = [
                x for x, own in _OPTIMIZER_NUMBERS.items() if name in own
            ]
            if self.optimizer not in fitting:
                raise UserError(
                    f"`{name}` is an option of {' and '.join(fitting)}. "
                    f"Received: `optimizer={self.optimizer}`"
                )

    @property
    def backbone_name(self) -> str:
        """The backbone; by default that of the demo, or VGG16."""
        return self.backbone or (TINY if self.data == "demo" else CLASSIC)

    @property
    def head_kind(self) -> str:
        """The head; by default what the options given are for."""
        return self.head or ("dense" if self.given & _OF_DENSE else "linear")

    @property
    def searches(self) -> bool:
        """True if the unfreeze point is searched for."""
        is_asked = self.budget is not None or self.trials is not None
        return is_asked or self.unfreeze_from == "auto"

    @property
    def mixes_batches(self) -> list[str]:
        """The options that change whole batches, of those that are on."""
        names = ("randaugment", "mixup", "cutmix")
        return [name for name in names if getattr(self, name)]

    def decided(self) -> "TrainConfig":
        """Returns the same, with what other options decide filled in."""
        return dataclasses.replace(self, head=self.head_kind)

    def optimizer_arguments(self) -> dict[str, float]:
        """Returns the arguments of the optimizer that were given, by name."""
        names = ("momentum", "rho", "beta_1", "beta_2")
        values = {name: getattr(self, name) for name in names}
        return {name: x for name, x in values.items() if x is not None}

    def model_arguments(self) -> dict[str, Any]:
        """Returns the arguments of `build_model` that define the base."""
        return {
            "backbone": self.backbone_name,
            "image_size": self.image_size,
            "weights": self.weights,
            "preprocess": self.preprocess,
            "unfreeze_from": "none" if self.searches else self.unfreeze_from,
            "cut_at": self.cut_at,
        }

    def head_arguments(self) -> dict[str, Any]:
        """Returns the arguments of `build_model` that define the head."""
        is_solved = self.head_kind != "dense"  # one Dense layer
        return {
            "pooling": self.pooling,
            "hidden_units": 0 if is_solved else self.hidden_units,
            "dropout": 0.0 if is_solved else self.dropout,
        }

    def with_absolute_paths(self) -> "TrainConfig":
        """Returns the same, with paths that hold from any folder.

        A run may be resumed, or repeated, from another one than it began in.
        """
        paths = {
            name: os.path.abspath(getattr(self, name))
            for name in ("data", "validation_data", "weights")
            if getattr(self, name)
            and getattr(self, name) not in ("demo", *WEIGHTS)
            and _is_path(getattr(self, name))
        }
        if self.backbone and is_file(self.backbone):
            paths["backbone"] = os.path.abspath(self.backbone)
        if self.cache_dir:
            paths["cache_dir"] = os.path.abspath(self.cache_dir)
        return dataclasses.replace(self, **paths)


def _is_path(name):
    """Returns whether a name is that of files, or a pattern of shards."""
    return os.path.exists(name) or (".tar" in name and "://" not in name)
