"""Position of a run in its stages."""

import dataclasses


@dataclasses.dataclass
class TrainingPosition:
    """Position of a run: stage, epoch, step.

    Attributes:
        stage: Number of the stage, from 0; that of all stages: done.
        epochs_before: Epochs of the stages before it.
        epoch: Epochs done, over all stages.
        step: Steps done in the epoch after these; where they are all its
            steps, what is left of it is its validation.
        learning_rate: Peak learning rate of the stage.
        hashes: `model_zoo.hashes.hash_layers` at the start of the stage.
    """

    stage: int
    epochs_before: int
    epoch: int
    step: int
    learning_rate: float | str | None
    hashes: dict[str, str]
