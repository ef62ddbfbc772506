"""Keras callbacks of the user, called over both stages of a run."""

from collections.abc import Sequence

import keras

from thaw.errors import UserError

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)
# What Thaw does itself, by the option that does it.
_REFUSED = {
    keras.callbacks.LearningRateScheduler: "`schedule`",
    keras.callbacks.ReduceLROnPlateau: "`schedule`",
    keras.callbacks.BackupAndRestore: "`resume`",
    keras.callbacks.SwapEMAWeights: None,
}


class Callbacks(keras.callbacks.CallbackList):
    """The callbacks of one run, as `Model.fit` calls them.

    `callback.model` is the whole model; epochs count over both stages, from 0;
    `logs` hold loss, accuracy, val_loss, val_accuracy, learning_rate and
    stage.

    Attributes:
        has_batch_hook: Whether one of them is called at each step.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        model: keras.Model,
        epochs: int,
        steps: int,
    ):
        """Gives the callbacks the model.

        Args:
            callbacks: Callbacks that `check_callbacks` has let pass.
            model: The whole model.
            epochs: Epochs of all stages.
            steps: Steps per epoch.
        """
        super().__init__(
            list(callbacks), model=model, epochs=epochs, steps=steps, verbose=0
        )
        model.stop_training = False
        self.has_batch_hook = any(
            _overrides(callback, name)
            for callback in callbacks
            for name in _BATCH_HOOKS
        )

    def __bool__(self):
        return bool(self.callbacks)

    def on_epoch_end(self, epoch, logs=None):
        """Ends an epoch; Keras's TensorBoard is given the numbers only."""
        numbers = {x: y for x, y in logs.items() if isinstance(y, float)}
        for callback in self.callbacks:
            is_board = isinstance(callback, keras.callbacks.TensorBoard)
            callback.on_epoch_end(epoch, numbers if is_board else logs)

    @property
    def stops(self) -> bool:
        """True once a callback has asked to stop training."""
        return bool(self.model.stop_training)


def check_callbacks(callbacks: Sequence) -> None:
    """Raises a `UserError` if one sets learning rates or weights, or is none.

    Args:
        callbacks: Anything that was given as callbacks.
    """
    for callback in callbacks:
        _check(callback)


def _check(callback):
    if not isinstance(callback, keras.callbacks.Callback):
        raise UserError(
            "`callbacks` must be keras.callbacks.Callback objects. Received: "
            f"{callback!r}"
        )
    name = type(callback).__name__
    if isinstance(callback, keras.callbacks.EarlyStopping):
        if callback.restore_best_weights:
            raise UserError(
                f"{name} can't restore weights: the best epoch is kept anyway. "
                "Set restore_best_weights=False, or use `early_stopping`."
            )
    for refused, option in _REFUSED.items():
        if isinstance(callback, refused):
            way_out = f" Use {option}." if option else " Drop it."
            raise UserError(
                f"{name} sets learning rates or weights, or backs up, which "
                f"Thaw does itself.{way_out}"
            )


def _overrides(callback, name):
    """Returns whether a callback has its own method of that name."""
    base = getattr(keras.callbacks.Callback, name)
    return name in vars(callback) or getattr(type(callback), name) is not base
