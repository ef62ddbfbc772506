"""The estimate of a run: seconds and disk, before it begins."""

import dataclasses
import math
import time

from thaw.search.passes import FrozenPasses
from thaw.search.speeds import FORWARD, Speeds
from thaw.search.texts import duration, size
from thaw.training.lr_finder import NUM_STEPS
from thaw.training.position import TrainingPosition
from thaw.training.prepared import Prepared
from thaw.training.resume import bytes_needed
from thaw.training.state import Training

# Fitted to runs on 2 cores of an AMD EPYC (Zen 3), in seconds.
_STAGE = 0.6  # compilation of steps and validation, beside
_COMPILATIONS = 2.5  # times that of the gradients alone
_EPOCH = 0.05  # history, checkpoint, start of the validation
_STEP = 1e-3  # batches from the cache, metrics
_REPORT = 6.0  # figures, Grad-CAM, page, the fresh process
_REPORT_PHOTO = 1e-3  # of both splits: suspected labels, bootstrap
_SEEN_AGAIN = 200  # photos, by the fresh process, this one, and Grad-CAM
_SOLVED = 5e-7  # of a photo and feature: cross-validation


@dataclasses.dataclass(frozen=True)
class StageEstimate:
    """Estimate of one stage.

    Attributes:
        name: Name of the stage.
        features: Seconds of the frozen part in each epoch.
        steps: Seconds of all else in each epoch.
    """

    name: str
    features: tuple[float, ...]
    steps: tuple[float, ...]

    def describe(self) -> str:
        """Returns e.g. `10 epochs of 3`."""
        num_epochs, seconds = len(self.steps), sum(self.steps)
        if self.name == "head":
            return f"head {duration(seconds)}"
        epochs = "1 epoch" if num_epochs == 1 else f"{num_epochs} epochs"
        return f"{epochs} of {duration(seconds / num_epochs)}"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Seconds and disk of a run; as text, one line.

    Attributes:
        check: Seconds used already: imports, check of the photos, model.
        stages: Of each stage with epochs that are still to come.
        report: Seconds of figures, report and proof.
        disk_bytes: Features, model and checkpoints, without what is there.
        at_most: Whether early stopping may end the run before.
    """

    check: float
    stages: tuple[StageEstimate, ...]
    report: float
    disk_bytes: int
    at_most: bool = False

    @property
    def features(self) -> float:
        """Seconds of the frozen part."""
        return sum(sum(stage.features) for stage in self.stages)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by part: check, features, each stage, report."""
        stages = {stage.name: sum(stage.steps) for stage in self.stages}
        return {
            "check": self.check,
            "features": self.features,
            **stages,
            "report": self.report,
        }

    @property
    def total(self) -> float:
        """Seconds of the whole run."""
        return sum(self.seconds.values())

    def __str__(self):
        parts = [f"check {duration(self.check)}"]
        if self.features:
            parts.append(f"features {duration(self.features)}")
        parts += [stage.describe() for stage in self.stages]
        parts.append(f"report {duration(self.report)}")
        about = "At most about" if self.at_most else "About"
        return (
            f"{about} {duration(self.total)}: {', '.join(parts)}; "
            f"{size(self.disk_bytes)} of disk"
        )


def estimate(run: Prepared | Training, started: float) -> Estimate:
    """Returns the estimate of a run, after about a second of measuring.

    Nothing of the run changes by it, to the last bit.

    Args:
        run: The run, before its first stage, or where it goes on.
        started: `time.perf_counter()` when it was asked for.
    """
    speeds = Speeds(run)
    passes = FrozenPasses(run.stages, run.settings, run.views)
    disk_bytes = _disk_bytes(run)
    stages = []
    for number, position in _positions(run):
        stage = run.stages[number]
        computed = passes.epochs(number, position)
        features = tuple(speeds.features(number, x) for x in computed)
        steps = _seconds_of_epochs(run, stage, position, speeds.step(stage))
        if steps:
            stages.append(StageEstimate(stage.name, features, steps))
    report = speeds.features(len(run.stages) - 1, passes.report())
    report += _report_seconds(run, speeds)
    return Estimate(
        time.perf_counter() - started,
        tuple(stages),
        report,
        disk_bytes,
        run.settings.early_stopping is not None,
    )


def _positions(run):
    """Yields number and position of each stage that is still to come."""
    resumed = run.resumed_position if isinstance(run, Training) else None
    epochs = 0
    for number, stage in enumerate(run.stages):
        if resumed is not None and number == resumed.stage:
            yield number, resumed
        elif resumed is None or number > resumed.stage:
            rate = stage.learning_rate if stage.finds_learning_rate else None
            yield number, TrainingPosition(number, epochs, epochs, 0, rate, {})
        epochs += stage.epochs


def _seconds_of_epochs(run, stage, position, step):
    """Returns seconds of the epochs of a stage, without their features."""
    start = _STAGE + _COMPILATIONS * step.compilation
    settings, val = run.settings, run.views.validation
    train = run.views.of(stage)
    of_step = step.seconds / settings.replicas.count + _STEP
    forward = (step.seconds * FORWARD + _STEP) / settings.batch_size
    validation = _EPOCH + forward * len(val.labels)
    sizes = [math.prod(x.shape[1:]) for x in stage.boundary]
    solved = _SOLVED * len(train.labels) * sum(sizes)
    if stage.solver is not None:
        return (start + solved + forward * len(train.labels) + validation,)
    if position.learning_rate == "find":
        start += _COMPILATIONS * step.compilation
        start += NUM_STEPS * of_step * (1 + FORWARD)  # and those of a twin
    if not stage.augmented and run.config.yardstick:
        start += solved
    num_epochs = position.epochs_before + stage.epochs - position.epoch
    seconds = [settings.steps_per_epoch * of_step + validation] * num_epochs
    if not seconds:
        return (start,) if position.learning_rate == "find" else ()
    seconds[0] += start - position.step * of_step
    return tuple(seconds)


def _report_seconds(run, speeds):
    train, _, validation = run.views
    num_photos = len(train.labels) + len(validation.labels)
    step = speeds.step(run.stages[-1]).seconds
    of_photo = _REPORT_PHOTO + FORWARD * step / run.settings.batch_size
    return _REPORT + num_photos * of_photo + _SEEN_AGAIN * speeds.forward()


def _disk_bytes(run):
    """Returns the bytes of features, model and checkpoints."""
    caches = {}
    for stage in run.stages:
        for cache in (stage.train_cache, stage.val_cache):
            caches[id(cache)] = cache
    missing = (
        cache.bytes_per_view * (1 - cache.stored(view).mean())
        for cache in caches.values()
        for view in range(cache.num_views)
    )
    return round(sum(missing)) + bytes_needed(run.model)
