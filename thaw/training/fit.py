"""Training of one stage, step by step."""

import numpy as np

from model_zoo.layer_groups import layer_groups
from thaw.cache.features import Features
from thaw.training import figures, lr_finder
from thaw.training.guard import NaNGuard
from thaw.training.loop import train_epochs
from thaw.training.optimizer import group_rates, make_optimizer
from thaw.training.position import TrainingPosition
from thaw.training.stage import Stage
from thaw.training.state import Training


class Fit:
    """Training by steps, at a learning rate searched for where none is given.

    Its arguments are the attributes of the same name.
    """

    def __init__(
        self,
        training: Training,
        stage: Stage,
        trained: NaNGuard,
        features: tuple[Features, Features],
        position: TrainingPosition,
    ):
        self.training = training
        self.stage = stage
        self.trained = trained
        self.features = features
        self.position = position
        self.groups = layer_groups(training.model)
        self.first_photo = (
            position.epochs_before * training.settings.photos_per_epoch
        )

    def run(self, is_resumed: bool) -> None:
        """Trains the stage.

        Args:
            is_resumed: Whether it goes on from the checkpoint of the run.
        """
        training, stage, position = self.training, self.stage, self.position
        settings = training.settings
        if stage.learning_rate != "find":
            # With `resume_anyway`, perhaps another one than before.
            position.learning_rate = stage.learning_rate
        elif position.learning_rate == "find":
            position.learning_rate = self._find_learning_rate()
        if not stage.epochs:
            return
        num_steps = stage.epochs * settings.steps_per_epoch
        rates = stage.schedule(
            np.arange(num_steps), num_steps, position.learning_rate
        )
        steps_at_a_time = settings.steps_per_execution
        if training.callbacks.has_batch_hook:
            steps_at_a_time = 1
        of_groups = self._compile(rates, steps_at_a_time)
        training.history.start_stage(stage.name, of_groups)
        if is_resumed:
            training.put_back(self.trained)
        # Where it was resumed as well: the conditions may be others.
        training.save(self.trained, position)
        train_epochs(
            training,
            self.trained,
            # No prefetch: a thread that makes batches in Python while the
            # interpreter ends after Ctrl-C waits for it, and it for the thread.
            self._stream(position.epoch, position.step),
            self.features[1].one_pass(),
            position,
            position.epochs_before + stage.epochs,
            self._describe_step,
        )

    def _find_learning_rate(self):
        tested = lr_finder.range_test(
            self.trained,
            self._compile,
            self._stream(self.position.epoch, 0).take(lr_finder.NUM_STEPS),
            self.training.stop.check,
            self.training.settings.replicas,
        )
        figures.show_range_test(self.training.folder, self.stage.name, tested)
        return tested.suggestions()["valley"]

    def _stream(self, epoch, step):
        settings = self.training.settings
        photos = self.features[0]
        return photos.endless(
            epoch * settings.photos_per_epoch + step * settings.batch_size,
            first_pass=self.first_photo // photos.num_photos,
            class_weight=settings.class_weight,
        )

    def _compile(self, rates, steps_per_execution=1):
        training, settings = self.training, self.training.settings
        of_groups = group_rates(
            rates, list(self.groups), self.stage.layer_decay
        )
        with settings.replicas.scope():
            optimizer = make_optimizer(
                settings.make_optimizer, of_groups, self.groups
            )
        self.trained.compile(
            optimizer,
            loss=settings.loss or training.model.loss,
            metrics=[training.accuracy],
            steps_per_execution=steps_per_execution,
        )
        with settings.replicas.scope():
            self.trained.optimizer.build(self.trained.trainable_variables)
        return of_groups

    def _describe_step(self, step):
        batch_size = self.training.settings.batch_size
        return self.features[0].describe_batch(
            self.first_photo + step * batch_size
        )
