"""Trainings without pictures, proof and report: half of a short run."""

from pathlib import Path

from benchmarks.kill_and_resume import hashes
from model_zoo.request import check_request
from thaw import isolation, progress
from thaw.config import TrainConfig
from thaw.data.prepare import find_photos, start_inspection
from thaw.device import dtype_policy
from thaw.search.auto import search
from thaw.training import failures
from thaw.training.begin import begin, save_inputs
from thaw.training.checkpoints import Checkpoints
from thaw.training.own_backbone import kept_classes, with_own_options
from thaw.training.resume import Resumption, load_config
from thaw.training.stages import run_stages
from thaw.training.state import Training


def train(
    run_dir: Path, callbacks=(), *, silent: bool = True, **options
) -> Training:
    """Trains all stages; returns the run as it is then."""
    with progress.output(silent=silent):
        return _train(run_dir, TrainConfig(**options), Resumption(), callbacks)


def resume(run_dir: Path, *, anyway: bool = False, **options) -> Training:
    """Goes on with a run that was stopped."""
    config = load_config(Path(run_dir), options)
    with progress.output(silent=True):
        return _train(run_dir, config, Resumption(True, anyway), ())


def _train(run_dir, config, resumption, callbacks):
    config = with_own_options(config)
    unfreeze_from = check_request(**config.model_arguments())
    found = find_photos(config, kept_classes(config))
    with (
        start_inspection(found, config) as inspect,
        isolation.seeded(config.seed),
        dtype_policy(config.precision),
    ):
        training = begin(
            config.with_absolute_paths(),
            inspect,
            Path(run_dir),
            unfreeze_from,
            resumption,
            callbacks,
            verbose=0,
        )
        with training.folder.unlocked_after(), failures.explained(training):
            save_inputs(training)
            run_stages(training, search if training.config.searches else None)
    return training


def epochs_of(training: Training) -> list[dict]:
    """Returns the rows of the history, without seconds."""
    return [
        {key: row[key] for key in row if key != "seconds"}
        for row in training.history.epochs
    ]


def results(run_dir: Path) -> dict[str, str]:
    """Returns hashes of all that a run has made, also of its last step."""
    state = Checkpoints(run_dir / "checkpoint").state_sha256()
    return hashes(run_dir) | {"state": state}
