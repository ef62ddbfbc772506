"""A model whose weights are never updated with NaN or infinity."""

import keras
import tensorflow as tf

from thaw.training.replicas import ONE_DEVICE, Replicas


class NaNGuard(keras.Model):
    """A functional model whose weights no NaN and no infinity can reach.

    The step in which loss or gradients are not finite changes no weight, nor
    does any step after it; statistics and random numbers move on. It shares
    the layers of the model it is made of, and is never saved itself.

    It is validated on one device, whatever it trains on.
    """

    def __init__(self, inputs, outputs, replicas: Replicas = ONE_DEVICE):
        """Takes the tensors of a functional model.

        Args:
            inputs, outputs: As of `keras.Model`.
            replicas: Devices that train; the variables were made in their
                scope, and this model outside of it.
        """
        super().__init__(inputs, outputs)
        self._replicas = replicas
        # Not a Keras variable: it is none of the model's.
        self._bad_step = tf.Variable(-1, dtype="int64", trainable=False)

    @property
    def bad_step(self) -> int | None:
        """The step that was not finite, counted by the optimizer, or None."""
        step = int(self._bad_step)
        return None if step < 0 else step

    def compile(self, *args, **kwargs):
        """As Keras's; what was not finite before is forgotten."""
        if self._replicas.count > 1:  # as Keras does with a strategy
            kwargs["jit_compile"] = False
        super().compile(*args, **kwargs)
        self.forget_bad_step()

    def forget_bad_step(self) -> None:
        """Lets a model learn again whose weights were put back."""
        self._bad_step.assign(-1)

    def make_train_function(self, force=False):
        """As Keras's, but for its loop: that can't hold several devices.

        Of a `tf.data.Iterator` the function takes as many steps as it was
        compiled with, of any other iterator one for each batch
        (keras-team/keras#19246).
        """
        if self.train_function is not None and not force:
            return
        step = tf.function(
            self.train_step,
            autograph=False,
            jit_compile=self.jit_compile,
            reduce_retracing=True,
        )

        @tf.function(autograph=False, reduce_retracing=True)
        def take_steps(iterator):
            def take_one(number):
                step(next(iterator))
                return number + 1

            tf.while_loop(
                lambda number: number < self.steps_per_execution,
                take_one,
                [tf.constant(0)],
            )
            return self.get_metrics_result()

        def train_function(iterator):
            if isinstance(iterator, tf.data.Iterator):
                return take_steps(iterator)
            for batch in iterator:
                logs = step(batch)
            return logs

        self.train_function = train_function

    def train_step(self, data):
        """Keras's own (keras/src/backend/tensorflow/trainer.py), guarded."""
        replicas = self._replicas
        losses, outputs, gradients, numbers = replicas.run(
            self._differentiate, replicas.split(data)
        )
        # All batches have one size.
        self._loss_tracker.update_state(replicas.total(losses))
        is_finite = replicas.total(numbers) == 0

        def learn():
            # In the call above, it could not depend on all devices.
            replicas.run(self._learn, gradients)
            return tf.constant(-1, "int64")

        def stop():
            step = tf.cast(self.optimizer.iterations, "int64")
            return tf.where(self._bad_step < 0, step, self._bad_step)

        self._bad_step.assign(
            tf.cond(is_finite & (self._bad_step < 0), learn, stop)
        )
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        return self.compute_metrics(
            inputs, labels, replicas.joined(outputs), sample_weight=weights
        )

    def _differentiate(self, data):
        """Returns loss, outputs, gradients, and how many are not finite.

        Of the part of a batch that a device has; Keras divides its loss by the
        number of devices.
        """
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        with (
            self._replicas.own_random_numbers(self),
            tf.GradientTape() as tape,
        ):
            outputs = self(inputs, training=True)
            loss = self.compute_loss(
                inputs, labels, outputs, weights, training=True
            )
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.trainable_variables)
        numbers = [loss]
        # In float16 infinite gradients are what its loss scale is found by.
        if not isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            numbers += [tf.reduce_sum(gradient) for gradient in gradients]
        are_finite = tf.math.is_finite([tf.cast(x, "float32") for x in numbers])
        not_finite = tf.reduce_sum(tf.cast(~are_finite, "float32"))
        return loss, outputs, gradients, not_finite

    def _learn(self, gradients):
        """Updates the weights; the optimizer adds up those of all devices."""
        self.optimizer.apply(gradients, self.trainable_variables)
