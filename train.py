"""Fine-tunes a Keras image classifier by unfreezing just enough of it.

    python train.py --data photos --unfreeze-from block5_conv1

freezes VGG16 up to the named layer, trains a new head first and then
everything from that layer on, and leaves the model and its curves in a run
folder. Without --data it trains on a small drawn demo set, no network needed.
Hyphens and underscores in the names of flags are the same, and
--flagfile=FILE reads flags from a file.
"""

import math
import sys
import time
from pathlib import Path

from absl import flags

import command_line
import model_zoo
import train_flags as given
from errors import UserError
from model_zoo import listing
from model_zoo.request import check_request
from training.run_dir import choose_run_dir

flags.adopt_module_key_flags(given)


def __getattr__(name):
    # `from train import build_model`, without importing Keras for --help.
    if name == "build_model":
        return model_zoo.build_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main(argv):
    start = time.perf_counter()
    if len(argv) > 1:
        raise UserError(
            f"Unexpected argument '{argv[1]}'. Flags start with --; photos are "
            "given with --data=FOLDER. (All flags: --help)"
        )
    if given.LIST_BACKBONES.value:
        print(listing.backbones_table())
        return 0
    if given.LIST_LAYERS.value:
        arguments = given.model_arguments()
        arguments.pop("weights")  # not looked at
        with command_line.without_startup_remarks():
            table = listing.list_layers(
                train_batch_norm=given.TRAIN_BATCH_NORM.value, **arguments
            )
        print(table)
        return 0
    if given.HEAD_EPOCHS.value + given.EPOCHS.value == 0:
        raise UserError("Nothing to train: --head_epochs and --epochs are 0.")
    arguments = given.model_arguments()
    unfreeze_from = check_request(**arguments)
    run_dir = choose_run_dir(given.RUN_DIR.value, arguments["backbone"])
    check_outside_data("run_dir", run_dir)
    check_outside_data("cache_dir", given.CACHE_DIR.value)
    train_photos, validation_photos = load_photos()

    # TensorFlow takes seconds to import: not before all that can be checked
    # without it.
    with command_line.without_startup_remarks():
        import keras

        from input_pipeline import contents, dataset
        from training import (
            device,
            freeze_proof,
            run_folder,
            stage_input,
            stages,
            summary,
        )

        device.keep_freed_memory()
        device_name = device.prepare_device()
    keras.utils.set_random_seed(given.SEED.value)
    model = build(arguments, len(train_photos.class_names))
    cache_folder = given.open_cache_folder()
    print("Checking that all photos can be read")
    checked = contents.check_contents(
        train_photos.paths + validation_photos.paths,
        memo=cache_folder and cache_folder.path / "thaw-photos.sqlite",
    )
    run = run_folder.RunFolder.create(run_dir)
    run.save_flags(command_line.changed_flags(left_out=["run_dir"]))
    run.save_class_names(train_photos.class_names)
    print(f"Training on {device_name}. Results go to {run_dir}")

    steps_per_epoch = given.STEPS_PER_EPOCH.value or math.ceil(
        len(train_photos) / given.BATCH_SIZE.value
    )
    resize = model.get_layer("resize")  # training and serving share it
    train_views = dataset.PhotoViews(
        train_photos,
        resize,
        resize.height,
        seed=given.SEED.value,
        augment=given.make_augmentation(),
        contents=checked.take(slice(len(train_photos))),
    )
    val_views = dataset.PhotoViews(
        validation_photos,
        resize,
        resize.height,
        contents=checked.take(slice(len(train_photos), None)),
    )
    planned = given.plan_stages(unfreeze_from)
    stage_inputs = stage_input.plan_stage_inputs(
        model,
        planned,
        train_views,
        val_views,
        cache_folder,
        num_views=given.CACHE_VIEWS.value,
        dtype=given.CACHE_DTYPE.value,
        batch_size=given.BATCH_SIZE.value,
        steps_per_epoch=steps_per_epoch,
        device=device_name,
    )
    kept_epoch = stages.KeptEpoch(run, model, train_photos.class_names)
    proof = freeze_proof.FreezeProof()
    try:
        for number, stage in enumerate(planned):
            stages.run_stage(
                stage,
                model,
                stage_inputs[number:],
                train_views,
                val_views,
                kept_epoch=kept_epoch,
                proof=proof,
                optimizer=given.OPTIMIZER.value,
                steps_per_epoch=steps_per_epoch,
                batch_size=given.BATCH_SIZE.value,
                train_batch_norm=given.TRAIN_BATCH_NORM.value,
            )
    except (KeyboardInterrupt, FloatingPointError) as error:
        command_line.ignore_ctrl_c()
        show_results(run, kept_epoch)
        why = str(error) or "Stopped by Ctrl-C."
        status = 130 if isinstance(error, KeyboardInterrupt) else 1
        command_line.exit_with(
            status, f"{why} {kept_epoch.describe()}. See {run.path}"
        )

    command_line.ignore_ctrl_c()  # what is left to do takes a second
    show_results(run, kept_epoch)
    seconds = time.perf_counter() - start
    run.save_summary(
        summary.summarize(
            model=model,
            backbone=arguments["backbone"],
            unfreeze_from=unfreeze_from,
            train_photos=train_photos,
            validation_photos=validation_photos,
            history=kept_epoch.history,
            best=kept_epoch.best,
            proof=proof,
            seconds=seconds,
            images_per_second=kept_epoch.images_per_second(
                steps_per_epoch * given.BATCH_SIZE.value
            ),
            seed=given.SEED.value,
            device=device_name,
            cache_views=max(x.train_cache.num_views for x in stage_inputs),
        )
    )
    print(f"\n{proof.summary()}")
    if proof.frozen_moved:
        command_line.exit_with(
            1, "Frozen weights moved; do not trust this run."
        )
    print(kept_epoch.describe())
    print(f"Total time {seconds:.0f} s")
    print(f"Curves   {run.path / 'accuracy.png'}  {run.path / 'loss.png'}")
    print(f"Model    {run.path / 'model.keras'}")
    print(f"Predict  python predict.py {run.path} photo.jpg")
    return 0


def build(arguments, num_classes):
    """Returns the model the flags ask for."""
    return model_zoo.build_model(
        num_classes=num_classes,
        resize=given.RESIZE.value,
        pooling=given.POOLING.value,
        hidden_units=given.HIDDEN_UNITS.value,
        dropout=given.DROPOUT.value,
        train_batch_norm=given.TRAIN_BATCH_NORM.value,
        **arguments,
    )


def check_outside_data(flag, folder):
    """Raises a `UserError` if `folder` is among the photos."""
    data = Path(given.DATA.value).resolve()
    if folder and Path(folder).resolve().is_relative_to(data):
        raise UserError(
            f"--{flag}: {folder} is among the photos of {given.DATA.value}, "
            "and would be taken for photos by the next run. Give a folder "
            "outside."
        )


def load_photos():
    """Returns the photos to train and to validate on, and says how many."""
    from input_pipeline import demo_set, split

    data = given.DATA.value
    if data == "demo":
        data = demo_set.load_demo_set(demo_set.default_cache_dir())
        print(
            "These are drawn photos, the demo set. With photos of yours and "
            "ImageNet weights: python train.py --data=FOLDER"
        )
    photos = split.load_photos(
        data,
        given.VALIDATION_DATA.value,
        given.VALIDATION_FRACTION.value,
        given.LIMIT.value,
        given.SEED.value,
    )
    for use, some in zip(("Training", "Validation"), photos, strict=True):
        counts = ", ".join(f"{n} {name}" for name, n in some.counts().items())
        print(f"{use} photos: {len(some)} ({counts})")
        if some.passed_over:
            others = ", ".join(f"{n} {x}" for x, n in some.passed_over.items())
            print(f"  passed over, not JPEG or PNG: {others}")
    return photos


def show_results(run, kept_epoch):
    """Draws the curves, and points runs/latest to a run with a model."""
    from plots import plot_history
    from training.run_folder import point_latest_at

    history = kept_epoch.history
    if history:
        columns = {key: [row[key] for row in history] for key in history[0]}
        for metric in ("accuracy", "loss"):
            ax = plot_history(columns, metric=metric)
            run.save_figure(f"{metric}.png", ax.figure)
    if kept_epoch.best is not None and given.RUN_DIR.value is None:
        try:
            point_latest_at(run.path)
        except OSError as error:
            print(f"No link runs/latest: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    command_line.run(main)
