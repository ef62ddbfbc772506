"""Trials: short trainings on some of the training photos, judged on others."""

import dataclasses
import itertools
import time
from typing import Any

import keras
import numpy as np

from model_zoo.unfreeze import unfreeze
from thaw.evaluation.calibration import fit_temperature, scale, scale_unseen
from thaw.search.candidates import Candidate
from thaw.search.trial_photos import TrialPhotos
from thaw.training import plan
from thaw.training.guard import NaNGuard
from thaw.training.stage import Stage
from thaw.training.state import Training

_JUDGED = 100  # photos at a time
_SMALLEST = 1e-7  # probability, as in Keras's losses


@dataclasses.dataclass(frozen=True)
class Trial:
    """Result of a trial.

    Attributes:
        candidate: What was tried.
        epochs: Epochs that it was given.
        losses: Loss of each held-out photo after the last one, float32 (H,),
            at temperatures fitted to other photos if that is better; infinite
            if the training loss became NaN or infinite.
        temperature: Temperature that suits the held-out photos, at least 1.
        seconds: What the trial took, features and compilation included.
        seconds_per_epoch: What the steps of an epoch took.
    """

    candidate: Candidate
    epochs: int
    losses: np.ndarray
    temperature: float
    seconds: float
    seconds_per_epoch: float

    def options(self) -> dict[str, Any]:
        """Returns the options of `TrainConfig` that repeat it."""
        return {
            **self.candidate.options(),
            "epochs": self.epochs,
            "temperature": self.temperature,
        }

    @property
    def loss(self) -> float:
        """Mean loss of the held-out photos."""
        return float(self.losses.mean())


class Trials:
    """Trains candidates, one after the other, all from the same weights."""

    def __init__(
        self,
        training: Training,
        photos: TrialPhotos,
        weights: list[np.ndarray],
    ):
        """Takes a model whose head has been trained on the photos to fit.

        Args:
            training: The run; its model is left as the last trial leaves it.
            photos: Photos to train and to be judged on.
            weights: Weights of the model that every trial starts from.
        """
        self._training = training
        self._photos = photos
        self._weights = weights
        self._compiled = {}  # what is trained, by unfreeze point

    def has_room(self, candidate: Candidate) -> bool:
        """Returns whether the disk has room for the features of a candidate."""
        stage, *_ = self._compile(candidate.unfreeze_from)
        return self._photos.make_room(stage, candidate.augment)

    def run(self, candidate: Candidate, epochs: int) -> Trial:
        """Returns the trial of a candidate.

        Args:
            candidate: What to try.
            epochs: Number of epochs; 0: the start is judged.

        Raises:
            Stopped: If the run was asked to stop.
            FloatingPointError: If features are beyond float16.
        """
        start = time.perf_counter()
        stage, trained = self._prepare(candidate)
        rates = iter(self._rates(candidate, epochs))
        seconds = 0.0
        for epoch in range(epochs):
            batches = self._photos.batches(
                stage, candidate.augment, epoch, epochs
            )
            first = next(batches)  # the features are there then
            since = time.perf_counter()
            for batch in itertools.chain([first], batches):
                trained.optimizer.learning_rate.assign(next(rates))
                trained.train_on_batch(*batch)
                self._training.stop.check()
            seconds += time.perf_counter() - since
            if trained.bad_step is not None:
                break
        losses, temperature = self._judge(stage, trained, epochs > 0)
        return Trial(
            candidate,
            epochs,
            losses,
            temperature,
            time.perf_counter() - start,
            seconds / max(epochs, 1),
        )

    def _prepare(self, candidate):
        """Returns stage and model of a candidate, at the start of a trial."""
        stage, trained, before = self._compile(candidate.unfreeze_from)
        for variable, value in before:  # also random numbers of Dropout
            variable.assign(value)
        trained.forget_bad_step()
        self._training.model.set_weights(self._weights)
        return stage, trained

    def _compile(self, point):
        """Returns stage, model and its variables of an unfreeze point."""
        training, settings = self._training, self._training.settings
        unfreeze(training.model, point, settings.train_batch_norm)
        if point not in self._compiled:
            stage = Stage(training.model, "fine_tune", point, 1, 1.0)
            trained = NaNGuard(stage.parts[1].inputs, stage.parts[1].outputs)
            trained.compile(
                settings.make_optimizer(learning_rate=1.0),
                loss=settings.loss or training.model.loss,
            )
            trained.optimizer.build(trained.trainable_variables)
            variables = [*trained.variables, *trained.optimizer.variables]
            before = [(x, keras.ops.convert_to_numpy(x)) for x in variables]
            self._compiled[point] = stage, trained, before
        return self._compiled[point]

    def _rates(self, candidate, epochs):
        """Returns the learning rate of each step."""
        settings = self._training.settings
        num_steps = epochs * -(-len(self._photos.fit) // settings.batch_size)
        schedule = plan.schedule_of(self._training.config)
        return schedule(
            np.arange(num_steps), num_steps, candidate.learning_rate
        )

    def _judge(self, stage, trained, is_fine_tuned):
        """Returns the losses of the held-out photos, and a temperature.

        Fine-tuning leaves a model overconfident; how much, they tell.
        """
        labels, probabilities = self._predict(stage, trained)
        plain = _losses(labels, probabilities)
        if trained.bad_step is not None:
            return np.full_like(plain, np.inf), 1.0
        if not is_fine_tuned:
            return plain, 1.0
        logits = np.log(np.maximum(probabilities, _SMALLEST))
        config = self._training.config
        if "temperature" in config.given:
            divided = scale(logits, config.temperature)
            return _losses(labels, divided), config.temperature
        temperature = fit_temperature(labels, logits)
        unseen = _losses(labels, scale_unseen(labels, logits))
        if (temperature or 0) <= 1 or plain.mean() <= unseen.mean():
            return plain, 1.0
        return unseen, round(temperature, 2)

    def _predict(self, stage, trained):
        """Returns labels and probabilities of the held-out photos."""
        found = []
        for inputs, labels in self._photos.held_out_batches(stage, _JUDGED):
            self._training.stop.check()
            outputs = trained.predict_on_batch(inputs)
            if outputs.shape[1] == 1:  # a sigmoid
                outputs = np.concatenate([1 - outputs, outputs], axis=1)
            found.append((labels, outputs))
        labels, probabilities = map(np.concatenate, zip(*found, strict=True))
        return labels, probabilities


def _losses(labels, probabilities):
    """Returns the loss of each photo, float32 (H,)."""
    of_label = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(of_label, _SMALLEST)).astype("float32")
