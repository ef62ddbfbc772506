"""What a stage is asked to do."""

import dataclasses
from collections.abc import Callable, Mapping

import keras

from thaw.training import schedules


@dataclasses.dataclass(frozen=True)
class Stage:
    """One `fit`, or a head that is solved.

    Attributes:
        name: `head` or `fine_tune`.
        unfreeze_from: Layer name, `none` or `all`.
        epochs: Number of epochs; 0: only the learning rate is looked for.
        learning_rate: Highest learning rate, that of the head; None: the one
            that the range test suggests.
        layer_decay: What each layer group's rate is of that of the group
            above (`model_zoo.layer_groups`).
        schedule: Function of `thaw.training.schedules`: of steps, number of
            steps and highest rate.
        solver: `linear` or `svm`, as in `thaw.training.solved_head`; None:
            trained by steps.
        one_view: Whether all its passes see the same view of each photo. A
            head that another stage goes on from needs no more, and where
            features are kept, its second epoch takes a fraction of a second.
    """

    name: str
    unfreeze_from: str
    epochs: int
    learning_rate: float | None
    layer_decay: float = 1.0
    schedule: Callable = schedules.constant
    solver: str | None = None
    one_view: bool = False

    @property
    def looks_for_its_rate(self) -> bool:
        """Whether the stage starts with a range test."""
        return self.learning_rate is None and self.solver is None


@dataclasses.dataclass(frozen=True)
class Settings:
    """What all stages have in common.

    Attributes:
        batch_size: Photos per step.
        steps_per_epoch: Steps per epoch.
        make_optimizer: Function from `learning_rate` to a Keras optimizer.
        loss: Loss to train and to validate with; None: that of the model.
        mix: `augment.Mixes` of the batches to train on, or None.
        class_weight: Weight of each class in the training loss, or None.
        early_stopping: Epochs without a lower validation loss after which a
            stage ends; None: it never does.
        train_batch_norm: As in `model_zoo.unfreeze.unfreeze`.
    """

    batch_size: int
    steps_per_epoch: int
    make_optimizer: Callable = keras.optimizers.RMSprop
    loss: Callable | None = None
    mix: Callable | None = None
    class_weight: Mapping[int, float] | None = None
    early_stopping: int | None = None
    train_batch_norm: bool = False
