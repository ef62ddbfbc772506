"""Fine-tunes a Keras image classifier by unfreezing just enough of it.

    python train.py --data photos --unfreeze-from block5_conv1

freezes VGG16 up to the named layer, trains a new head first and then
everything from that layer on, and leaves the model and its curves in a run
folder. Without --data it trains on a small drawn demo set, no network needed.
Hyphens and underscores in the names of flags are the same.
"""

import dataclasses
import shlex

from thaw.cli import app, flags, signals
from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.options import Config, option
from thaw.progress import say
from thaw.work.options import EngineOptions
from thaw.work.part import Part


@dataclasses.dataclass(frozen=True, init=False)
class RunOptions(Config):
    """Flags of train.py that are no options of the run.

    Run:
        run_dir: New folder for the results. Default: runs/DATE-BACKBONE, to
            which runs/latest then points.
        resume: Run folder of a stopped run to go on with.
        resume_anyway: Go on even if photos or options have changed since.
        estimate: Estimate time and disk, and exit.
        part: 3/100: fill a hundredth of the cache, and exit.
        list_backbones: Print the backbones of Keras, or KerasHub's presets,
            and exit.
        list_layers: Print the base's layers and exit.
    """

    run_dir: str | None = option(None, is_path=True)
    resume: str | None = option(None, is_path=True)
    resume_anyway: bool = option(False)
    estimate: bool = option(False)
    part: str | None = option(None)
    list_backbones: str | None = option(
        None, choices=("keras", "hub"), alone="keras"
    )
    list_layers: bool = option(False)

    def validate(self) -> None:
        """Raises a `UserError` if there is no such part."""
        Part.parse(self.part)


CONFIGS = (TrainConfig, RunOptions, EngineOptions)


def main(
    arguments: list[str],
    config: TrainConfig,
    own: RunOptions,
    engine: EngineOptions,
) -> int:
    """Trains, or prints a table; returns the exit status."""
    if arguments:
        raise UserError(
            f"Unexpected argument '{arguments[0]}'. Flags start with --; "
            "photos are given with --data=FOLDER. (All flags: --help)"
        )
    engine.check_part(own.part)
    if own.list_backbones:
        print(_backbones_table(own.list_backbones))
    elif own.list_layers:
        print(_layers_table(config))
    elif own.estimate:
        _estimate(config, own)
    elif own.part:
        _fill_part(config, own)
    else:
        _train(config, own, engine)
    return 0


def _backbones_table(source):
    from model_zoo import backbone_table

    if source == "keras":
        return backbone_table.backbones_table()
    with app.without_startup_logs():
        return backbone_table.presets_table()


def _layers_table(config):
    from model_zoo import listing
    from thaw.training.own_backbone import with_own_options

    arguments = with_own_options(config).model_arguments()
    arguments.pop("weights")  # not looked at

    def find_costs(model):
        from thaw.search.layer_costs import layer_costs

        return layer_costs(model, config.batch_size, config.train_batch_norm)

    with app.without_startup_logs():
        return listing.list_layers(
            train_batch_norm=config.train_batch_norm,
            find_costs=find_costs,
            **arguments,
        )


def _estimate(config, own):
    import thaw

    if own.resume:
        raise UserError("Give --estimate or --resume, not both.")
    print(thaw.estimate_run(config=config))


def _fill_part(config, own):
    from thaw.feature_parts import fill_part

    if own.resume:
        raise UserError("Give --part or --resume, not both.")
    arguments = flags.as_arguments(fill_part(config, Part.parse(own.part)))
    if own.run_dir:
        arguments.append(f"--run_dir={own.run_dir}")
    command = shlex.join(["python", "train.py", *arguments])
    say(f"When all parts are done: {command}")


def _train(config, own, engine):
    import thaw

    if own.resume and own.run_dir:
        raise UserError("Give --resume or --run_dir, not both.")
    with signals.stop_on_signals():
        run = thaw.fine_tune(
            config=config,
            run_dir=own.resume or own.run_dir,
            resume=own.resume is not None,
            resume_anyway=own.resume_anyway,
            **engine.keywords(),
        )
    if not (run.path / "run.json").exists():  # only learning rates
        return
    print(run.verdict)
    print(f"Total time {run.summary['seconds']:.0f} s")
    print(f"Report   {run.path / 'report.html'}")
    print(f"Curves   {run.path / 'accuracy.png'}  {run.path / 'loss.png'}")
    print(f"Model    {run.path / 'model.keras'}")
    path = shlex.quote(str(run.path))
    say(f"Try it   python serve.py {path}")
    say(f"Predict  python predict.py {path} photo.jpg")
