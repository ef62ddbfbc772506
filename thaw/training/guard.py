"""A model whose weights are never updated with NaN or infinity."""

import keras
import tensorflow as tf


class NaNGuard(keras.Model):
    """A functional model whose weights no NaN and no infinity can reach.

    The step in which loss or gradients are not finite changes no weight, nor
    does any step after it; statistics and random numbers move on. It shares
    the layers of the model it is made of, and is never saved itself.
    """

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        # Not a Keras variable: it is none of the model's.
        self._bad_step = tf.Variable(-1, dtype="int64", trainable=False)

    @property
    def bad_step(self) -> int | None:
        """The step that was not finite, counted by the optimizer, or None."""
        step = int(self._bad_step)
        return None if step < 0 else step

    def compile(self, *args, **kwargs):
        """As Keras's; what was not finite before is forgotten."""
        super().compile(*args, **kwargs)
        self.forget_bad_step()

    def forget_bad_step(self) -> None:
        """Lets a model learn again whose weights were put back."""
        self._bad_step.assign(-1)

    def train_step(self, data):
        """Keras's own (keras/src/backend/tensorflow/trainer.py), guarded."""
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(inputs, training=True)
            loss = self.compute_loss(
                inputs, labels, outputs, weights, training=True
            )
            scaled = self.optimizer.scale_loss(loss)
        self._loss_tracker.update_state(loss)  # all batches have one size
        variables = self.trainable_variables
        gradients = tape.gradient(scaled, variables)
        numbers = [loss]
        # In float16 infinite gradients are what its loss scale is found by.
        if not isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            numbers += [tf.reduce_sum(gradient) for gradient in gradients]
        is_finite = tf.reduce_all(
            [tf.math.is_finite(tf.cast(x, "float32")) for x in numbers]
        )

        def learn():
            self.optimizer.apply(gradients, variables)
            return tf.constant(-1, "int64")

        def stop():
            step = tf.cast(self.optimizer.iterations, "int64")
            return tf.where(self._bad_step < 0, step, self._bad_step)

        self._bad_step.assign(
            tf.cond(is_finite & (self._bad_step < 0), learn, stop)
        )
        return self.compute_metrics(
            inputs, labels, outputs, sample_weight=weights
        )
