"""fine_tune: one run, in reading order."""

import functools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model_zoo.request import check_request
from thaw import progress
from thaw.config import TrainConfig
from thaw.errors import NotVerified
from thaw.keras_config import check_keras_config
from thaw.progress import say
from thaw.training import request
from thaw.training.inspecting import inspecting
from thaw.work.options import EngineOptions

if TYPE_CHECKING:
    from thaw.run import Run


def fine_tune(
    data: str | Path | None = None,
    *,
    config: TrainConfig | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    resume_anyway: bool = False,
    callbacks: Sequence = (),
    verify: bool = True,
    verbose: str | int = "auto",
    **options,
) -> "Run":
    """Fine-tunes an image classifier, and returns the run.

    First the head trains, on a frozen base; then everything from the unfreeze
    point on, with a new optimizer. The model with the lowest validation loss
    over both is kept. Nothing of the process is changed for longer than the
    call; Ctrl-C raises `thaw.Stopped` between two steps, and the run can be
    resumed.

    Args:
        data: Folder of photos, table, archive or named set, as the option
            `data`; None: the drawn demo set or, with `resume`, the run's own.
        config: All options; or give them one by one, not both.
        run_dir: New folder for the results; None: runs/DATE-BACKBONE. With
            `resume`, the folder of the run.
        resume: Whether to go on with a run that was stopped, with its photos
            and options.
        resume_anyway: Whether to do so where these have changed since.
        callbacks: `keras.callbacks.Callback` objects. `callback.model` is the
            whole model; epochs count over both stages.
        verify: Whether a fresh process opens model.keras and has to get the
            same probabilities.
        verbose: `auto`, 0 (silent), 1 (progress bar) or 2 (one line per
            epoch), as in `Model.fit`.
        **options: Fields of `TrainConfig`; and `engine`, `ray_address`,
            `workers` and `gpus_per_worker` of train.py: who computes the
            frozen features.

    Returns:
        The `Run`; its `model` is a plain `keras.Model`.

    Raises:
        UserError: If options, photos or files don't fit.
        Stopped: After Ctrl-C.
        NotFinite: If the loss became NaN or infinite.
        NotVerified: If model.keras may not be the model that was trained.
        MachineError: If the disk is full, memory used up, or a photo gone.

    Example:

    ```python
    import thaw

    run = thaw.fine_tune(limit=40, head_epochs=1, epochs=1)  # the demo set
    print(run.val_accuracy, run.class_names)
    ```
    """
    started = time.perf_counter()
    check_keras_config()
    engine = EngineOptions.taken_from(options)
    config, path = request.resolve(config, data, run_dir, resume, options)
    unfreeze_from = check_request(**config.model_arguments())
    request.check_folders(config, path)
    class_names = request.class_names_before(config, path, resume)
    with (
        progress.output(silent=verbose == 0),
        inspecting(config, class_names) as inspect,
    ):
        from thaw.training import begin
        from thaw.training.resume import Resumption

        is_default = path.parent.name == "runs" and (resume or not run_dir)
        training = begin.begin(
            config.with_absolute_paths(),
            inspect,
            path,
            unfreeze_from,
            Resumption(resume, resume_anyway, is_default),
            callbacks,
            verbose,
            engine,
        )
        _run(training, verify, started)
    from thaw.run import Run

    return Run(path)


def _run(training, verify, started):
    """Trains, and proves and reports what came of it."""
    from thaw.training import begin, failures, figures, stages, verification

    with training.folder.unlocked_after(), failures.explained(training):
        begin.save_inputs(training)
        # Before the process starts, which imports TensorFlow beside it.
        _say_estimate(training, started)
        with verification.fresh_process(verify) as process:
            figures.draw_augmented(training)
            search = None
            if training.config.searches:
                from thaw.search import auto

                search = functools.partial(auto.search, started=started)
            stages.run_stages(training, search)
            if training.best.row is not None:
                _finish(training, process)
            else:
                say("No epochs were requested, so there is no model.")


def _say_estimate(training, started):
    """Says what the run takes, and again where that turns out to be off."""
    from thaw.search.estimate import estimate
    from thaw.search.updates import EstimateUpdates

    if not progress.is_silent() and not training.config.searches:
        expected = estimate(training, started)
        say(str(expected))
        training.callbacks.callbacks.append(EstimateUpdates(expected, started))


def _finish(training, process):
    """Proves the best model, reports, and only then ends the run."""
    from thaw.evaluation.metrics import most_confused
    from thaw.evaluation.predictions import predictions_of_training
    from thaw.reports import facts, model_card, report
    from thaw.runs.summary import summarize
    from thaw.training import figures, verification

    folder, history = training.folder, training.history
    training.save_done()
    say(f"\n{training.proof.summary()}")
    if training.proof.frozen_moved:
        raise NotVerified("Frozen weights moved; do not trust this run.")
    training.best.put_weights_back()
    say(training.best.describe(len(history.epochs)))
    say("Evaluating the best model")
    check = verification.start(training, process)
    predictions, issues = predictions_of_training(
        training.stages[-1], training.views, training.settings
    )
    splits = training.splits
    evaluation, pictures = report.write_metrics(
        folder,
        training.model,
        predictions,
        issues,
        {
            "train": list(splits.train.counts().values()),
            "validation": list(splits.validation.counts().values()),
        },
    )
    curves = figures.draw_curves(training)
    confused = most_confused(training.best.counts, training.class_names)
    # The proof comes last, for the process has had time until here.
    summary = summarize(training, confused, check())
    known = facts.facts_of_training(folder, summary, history.epochs, curves)
    evaluation = report.write_page(
        folder, training.model, issues, known, evaluation, pictures
    )
    flags = training.config.to_flags()
    folder.save_card(
        model_card.make_card(known, evaluation, flags, len(issues.rows), {})
    )
    figures.add_to_events(training)
    folder.save_summary(summary)  # the run has ended
    training.checkpoints.remove()
