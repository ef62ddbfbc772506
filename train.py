"""Fine-tunes a Keras image classifier by unfreezing just enough of it.

    python train.py --data photos --unfreeze-from block5_conv1

freezes VGG16 up to the named layer, trains a new head first and then
everything from that layer on, and leaves the model and its curves in a run
folder. Without --data it trains on a small drawn demo set, no network needed.
Hyphens and underscores in the names of flags are the same, and
--flagfile=FILE reads flags from a file.
"""

import contextlib
import functools
import math
import shlex
import sys

from absl import flags

import model_zoo
from model_zoo import listing
from model_zoo.request import check_request
from thaw.cli import app
from thaw.cli import train_flags as given
from thaw.data import prepare
from thaw.errors import NotProved, UserError
from thaw.runs.paths import choose_run_dir
from thaw.training import plan, resume
from thaw.training import plan_stages as train_stages

flags.adopt_module_key_flags(given)


def __getattr__(name):
    # `from train import build_model`, without importing Keras for --help.
    if name == "build_model":
        return model_zoo.build_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main(argv):
    if len(argv) > 1:
        raise UserError(
            f"Unexpected argument '{argv[1]}'. Flags start with --; photos are "
            "given with --data=FOLDER. (All flags: --help)"
        )
    if given.LIST_BACKBONES.value:
        print(listing.backbones_table())
        return 0
    if given.LIST_LAYERS.value:
        arguments = plan.model_arguments()
        arguments.pop("weights")  # not looked at
        with app.without_startup_remarks():
            table = listing.list_layers(
                train_batch_norm=given.TRAIN_BATCH_NORM.value, **arguments
            )
        print(table)
        return 0
    plan.check_flags()
    arguments = plan.model_arguments()
    unfreeze_from = check_request(**arguments)
    run_dir = resume.resumed_run_dir() or choose_run_dir(
        given.RUN_DIR.value, arguments["backbone"]
    )
    app.check_outside_data("run_dir", run_dir, given.DATA.value)
    if given.CACHE_DIR.value:
        app.check_outside_data(
            "cache_dir", given.CACHE_DIR.value, given.DATA.value
        )
    indices = prepare.load_photos()
    resume.make_paths_absolute()  # messages until here are as was given
    arguments = plan.model_arguments()

    # TensorFlow takes seconds to import: not before all that can be checked
    # without it.
    with app.without_startup_remarks():
        import keras
        import tensorflow as tf

        from thaw import device
        from thaw.cache import plan as stage_input
        from thaw.evaluation import train_report
        from thaw.evaluation.metrics import most_confused
        from thaw.reports import page
        from thaw.runs import summary, writer
        from thaw.training import checkpoints, figures, interruption, stages
        from thaw.training import history as kept_epoch
        from thaw.training import state as run_state

        device.keep_freed_memory()
        device_name = device.prepare_device()
        device.set_precision(given.PRECISION.value)
    keras.utils.set_random_seed(given.SEED.value)
    model = build(arguments, len(indices[0].class_names))
    cache_folder = plan.open_cache_folder()
    sides, bad, found = prepare.check_photos(indices)
    train_photos, _ = sides[0]
    train_views, val_views = prepare.make_views(model, *sides)
    steps_per_epoch = given.STEPS_PER_EPOCH.value or math.ceil(
        len(train_photos) / given.BATCH_SIZE.value
    )
    mix = plan.make_mixes(len(train_photos.class_names))
    planned = train_stages.plan_stages(unfreeze_from, mix is not None)
    stage_inputs = stage_input.plan_stage_inputs(
        model,
        planned,
        train_views,
        val_views,
        cache_folder,
        num_views=given.CACHE_VIEWS.value if mix is None else 0,
        dtype=given.CACHE_DTYPE.value,
        batch_size=given.BATCH_SIZE.value,
        steps_per_epoch=steps_per_epoch,
        device=device_name,
    )

    point = checkpoints.Checkpoints(run_dir / "checkpoint")
    run = writer.RunFolder(run_dir)
    if given.RESUME.value is None:
        run = writer.RunFolder.create(run_dir)
    run.lock()
    run.remove_leftovers()
    conditions = resume.conditions(sides, planned, stage_inputs, device_name)
    resumed = resume.load_checkpoint(point, conditions)
    resume.check_room(model, run_dir)
    keeper = kept_epoch.KeptEpoch(
        run,
        model,
        train_photos.class_names,
        functools.partial(point_latest, run),
    )
    state = run_state.RunState(
        model,
        keeper,
        point,
        minutes=given.CHECKPOINT_MINUTES.value,
        conditions=conditions,
        resumed=resumed,
    )
    print(f"Training on {device_name}. Results go to {run_dir}")

    settings = train_stages.settings(
        train_photos.labels,
        len(train_photos.class_names),
        steps_per_epoch,
        mix,
    )
    try:
        if keeper.best is not None:  # from before it went on
            point_latest(run)
        run.save_flags(app.changed_flags(resume.OWN_FLAGS))
        run.save_class_names(train_photos.class_names)
        run.save_training_photos(
            train_photos.paths,
            [train_photos.class_names[x] for x in train_photos.labels],
        )
        if bad:
            run.save_bad_photos(bad)
        figures.draw_augmented(run, train_views, mix, given.BATCH_SIZE.value)
        with interruption.StopRequest() as stop:
            for number, stage in enumerate(planned):
                stages.run_stage(
                    number,
                    stage,
                    model,
                    stage_inputs[number:],
                    train_views,
                    val_views,
                    settings=settings,
                    run_state=state,
                    stop=stop,
                    show_range_test=functools.partial(
                        figures.show_range_test, run
                    ),
                )
        if keeper.best is None:
            print("No epoch was asked for, so there is no model.")
            return 0
        figures.draw_curves(run, keeper, given.SMOOTH_CURVES.value)
        speed = keeper.images_per_second(given.BATCH_SIZE.value)
        summarized = summary.summarize(
            model=model,
            backbone=arguments["backbone"],
            unfreeze_from=unfreeze_from,
            sides=sides,
            history=keeper.history,
            best=keeper.best,
            proof=state.proof,
            confused=most_confused(keeper.counts, train_photos.class_names),
            seconds=state.seconds,
            images_per_second=speed,
            seed=given.SEED.value,
            device=device_name,
            cache_views=max(x.train_cache.num_views for x in stage_inputs),
            state_sha256=point.state_sha256(),
            conditions=conditions,
            flags=resume.all_flags(),
            found=found,
        )
        run.save_summary(summarized)  # the run has ended
        point.remove()
    except (
        KeyboardInterrupt,
        FloatingPointError,
        OSError,
        tf.errors.OpError,
    ) as error:
        status, why, way_on = resume.why_stopped(error, sides, run.path)
        app.ignore_ctrl_c()
        with contextlib.suppress(OSError):  # they are drawn again at the end
            figures.draw_curves(run, keeper, given.SMOOTH_CURVES.value)
            figures.add_to_events(run, keeper)
        app.exit_with(
            status, f"{why} {keeper.describe()}. See {run.path}\n{way_on}"
        )

    print(f"\n{state.proof.summary()}")
    if state.proof.frozen_moved:
        app.exit_with(1, "Frozen weights moved; do not trust this run.")
    print("Looking at what it has learned")
    try:
        numbers = train_report.write_report(
            run,
            model,
            keeper,
            planned[-1].unfreeze_from,
            stage_inputs[-1],
            (train_views, val_views),
            summarized,
        )
        figures.add_to_events(run, keeper)
    except NotProved as error:
        app.exit_with(1, f"{run.path / 'model.keras'}: {error}")
    except (KeyboardInterrupt, OSError, tf.errors.OpError) as error:
        app.exit_with(
            130 if isinstance(error, KeyboardInterrupt) else 1,
            f"The run has ended, but not its report: {error}\nThe report "
            f"alone: python evaluate.py {shlex.quote(str(run.path))}",
        )
    print(keeper.describe())
    print(page.verdict(numbers))
    print(f"Total time {state.seconds:.0f} s")
    print(f"Report   {run.path / 'report.html'}")
    print(f"Curves   {run.path / 'accuracy.png'}  {run.path / 'loss.png'}")
    print(f"Model    {run.path / 'model.keras'}")
    print(f"Try it   python serve.py {run.path}")
    print(f"Predict  python predict.py {run.path} photo.jpg")
    return 0


def build(arguments, num_classes):
    """Returns the model the flags ask for."""
    return model_zoo.build_model(
        num_classes=num_classes,
        resize=given.RESIZE.value,
        **plan.head_arguments(),
        train_batch_norm=given.TRAIN_BATCH_NORM.value,
        **arguments,
    )


def point_latest(run):
    """Points runs/latest to a run with a model."""
    from thaw.runs.writer import point_latest_at

    if given.RUN_DIR.value is None and run.path.parent.name == "runs":
        try:
            point_latest_at(run.path)
        except OSError as error:
            print(f"No link runs/latest: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    app.run(main)
