"""One stage of a run, and the settings that all stages share."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras

from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer
from thaw.cache.frozen_part import FrozenLayers
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.shards import FeatureCache
from thaw.data.views import PhotoViews
from thaw.training import schedules
from thaw.training.replicas import ONE_DEVICE, Replicas


@dataclasses.dataclass(eq=False)
class Stage:
    """A stage that is trained by steps, or a head that is solved.

    Attributes:
        model: Model of `build_model`.
        name: `head` or `fine_tune`.
        unfreeze_from: Layer name, `none` or `all`.
        epochs: Number of epochs; 0: only the learning rate is searched for.
        learning_rate: Peak learning rate, that of the head, or `find`: chosen
            by a range test.
        layer_decay: Learning rate of each layer group relative to the group
            above (`model_zoo.layer_groups`).
        schedule: Function of `thaw.training.schedules`: of steps, number of
            steps and peak learning rate.
        solver: `linear` or `svm`, as in `thaw.training.solved_head`; None:
            trained by steps.
        temperature: Divisor of the logits of the model that is validated and
            kept.
        augmented: Whether it sees augmented views of the photos, or the photos
            as they are: then one frozen pass serves all its epochs.
        train_cache: Cache of the boundary tensors of the training photos.
        val_cache: The same of the validation photos.
    """

    model: keras.Model
    name: str
    unfreeze_from: str
    epochs: int
    learning_rate: float | str
    layer_decay: float = 1.0
    schedule: Callable = schedules.constant
    solver: str | None = None
    temperature: float = 1.0
    augmented: bool = True
    train_cache: FeatureCache | None = None
    val_cache: FeatureCache | None = None

    @property
    def finds_learning_rate(self) -> bool:
        """True if the stage starts with a range test."""
        return self.learning_rate == "find" and self.solver is None

    @functools.cached_property
    def parts(self) -> tuple[keras.Model, keras.Model]:
        """The model, split at the unfreeze point: (frozen, trained)."""
        first = first_trained_layer(self.model, self.unfreeze_from)
        return split(self.model, first)

    @property
    def boundary(self) -> list[keras.KerasTensor]:
        """The tensors that flow from the frozen part into the trained part."""
        return self.parts[0].outputs


class Views(NamedTuple):
    """The photos of a run, as its stages see them.

    Attributes:
        train: Augmented views of the training photos.
        clean: The training photos as they are; `train` itself where nothing is
            augmented.
        validation: The validation photos.
    """

    train: PhotoViews
    clean: PhotoViews
    validation: PhotoViews

    def of(self, stage: Stage) -> PhotoViews:
        """Returns the views that a stage trains on."""
        return self.train if stage.augmented else self.clean


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings that all stages of a run share.

    Attributes:
        frozen_layers: Frozen layers of the model, compiled once.
        batch_size: Photos per step.
        steps_per_epoch: Steps per epoch.
        make_optimizer: Function from `learning_rate` to a Keras optimizer.
        loss: Loss to train and to validate with; None: that of the model.
        mix: `augment.Mixes` of the training batches, or None.
        class_weight: Weight of each class in the training loss, or None.
        early_stopping: Patience in epochs, per stage; None: no early stopping.
        train_batch_norm: As in `model_zoo.unfreeze.unfreeze`.
        runtime: What computes the frozen part for the training photos; for
            those to validate on it is always TensorFlow, in float32.
        replicas: Devices that train, in whose scope the model was built.
    """

    frozen_layers: FrozenLayers
    batch_size: int
    steps_per_epoch: int
    make_optimizer: Callable = keras.optimizers.RMSprop
    loss: Callable | None = None
    mix: Callable | None = None
    class_weight: Mapping[int, float] | None = None
    early_stopping: int | None = None
    train_batch_norm: bool = False
    runtime: Runtime = DEFAULT_RUNTIME
    replicas: Replicas = ONE_DEVICE

    @property
    def photos_per_epoch(self) -> int:
        """Photos seen in an epoch, some of them perhaps twice."""
        return self.batch_size * self.steps_per_epoch

    @property
    def steps_per_execution(self) -> int:
        """Steps between two returns to Python, a divisor of an epoch's.

        Keras would do more steps than there are in an epoch otherwise. Ten
        spare 1 ms each, and still let Ctrl-C through soon.
        """
        return max(n for n in range(1, 11) if self.steps_per_epoch % n == 0)
