"""fine_tune: one run, in reading order."""

from collections.abc import Sequence
from pathlib import Path

from model_zoo.own_model import find_own_model
from model_zoo.request import check_request
from thaw import progress
from thaw.config import TrainConfig
from thaw.data.outside import check_outside_data
from thaw.errors import NotVerified, UserError
from thaw.keras_config import check_keras_config
from thaw.progress import say
from thaw.runs import paths
from thaw.training import own_backbone


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
) -> "Run":  # noqa: F821
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
        **options: Fields of `TrainConfig`.

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
    check_keras_config()
    config, path = _resolve(config, data, run_dir, resume, options)
    unfreeze_from = check_request(**config.model_arguments())
    _check_folders(config, path)
    with progress.output(silent=verbose == 0):
        # TensorFlow takes seconds to import: not before all that can be
        # checked without it.
        from thaw.data.prepare import find_photos, start_inspection

        found = find_photos(config, _class_names_before(config, path, resume))
        if find_own_model(config.backbone_name) is not None:
            say(own_backbone.describe_start(config, found[0].class_names))
        # In processes, while TensorFlow is imported.
        with start_inspection(found, config) as inspect:
            with progress.heavy_imports():
                from thaw import isolation
                from thaw.data.pixels import pillow_limits
                from thaw.device import dtype_policy
                from thaw.training import begin
                from thaw.training.resume import Resumption

            is_default = path.parent.name == "runs" and (resume or not run_dir)
            with (
                isolation.seeded(config.seed),
                dtype_policy(config.precision),
                pillow_limits(),
            ):
                training = begin.begin(
                    config.with_absolute_paths(),
                    inspect,
                    path,
                    unfreeze_from,
                    Resumption(resume, resume_anyway, is_default),
                    callbacks,
                    verbose,
                )
                _run(training, verify)
    from thaw.run import Run

    return Run(path)


def _resolve(config, data, run_dir, resume, options):
    """Returns the options of a run, and the path of its folder."""
    if config is not None and (options or data is not None):
        names = ", ".join(f"`{x}`" for x in (options or {"data": data}))
        raise UserError(
            f"Give `config`, or options, not both. Received also: {names}. To "
            "change one: dataclasses.replace(config, ...)"
        )
    if data is not None:
        options = {"data": data, **options}
    if resume:
        from thaw.training.resume import load_config

        if run_dir is None:
            raise UserError("With `resume`, `run_dir` is the run's folder.")
        if config is not None:
            options = {x: getattr(config, x) for x in config.given}
        path = paths.follow_link(run_dir)
        config = load_config(path, options)
        return own_backbone.with_own_options(config), path
    config = TrainConfig(**options) if config is None else config
    config = own_backbone.with_own_options(config)
    return config, paths.choose_run_dir(run_dir, config.backbone_name)


def _check_folders(config, path):
    check_outside_data("run_dir", path, config.data)
    if config.cache_dir:
        check_outside_data("cache_dir", config.cache_dir, config.data)


def _class_names_before(config, path, resume):
    """Returns class names that come first, those of a model or an older run."""
    from thaw.data.class_names import sorted_names
    from thaw.runs import reader

    kept = own_backbone.kept_classes(config)
    if kept or not (resume and (path / "class_names.json").is_file()):
        return kept
    names = reader.load_class_names(path)
    # In their usual order, they come as in the run itself, which may have left
    # out some; an older Thaw had another one.
    return () if tuple(names) == tuple(sorted_names(names)) else names


def _run(training, verify):
    """Trains, and proves and reports what came of it."""
    from thaw.training import begin, failures, figures, stages, verification

    with (
        training.folder.unlocked_after(),
        failures.explained(training),
        verification.fresh_process(verify) as process,
    ):
        begin.save_inputs(training)
        figures.draw_augmented(training)
        search = None
        if training.config.searches:
            from thaw.search.auto import search
        stages.run_stages(training, search)
        if training.best.row is not None:
            _finish(training, process)
        else:
            say("No epoch was asked for, so there is no model.")


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
