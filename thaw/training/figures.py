"""The figures of a training: views, range test, curves."""

import itertools

import numpy as np

import plots
from thaw.progress import say
from thaw.training.state import Training

_DRAWN_PHOTOS = 9
_DPI_OF_PHOTOS = 108  # six in a row are as wide as on the page, 1100 pixels


def draw_augmented(training: Training) -> None:
    """Draws what the training will see, in augmented.png.

    Two views each of some photos, or, mixed, those of the first batch.

    Args:
        training: The run.
    """
    views, mix = training.views.train, training.settings.mix
    names = training.class_names
    if mix is not None:
        rows = views.order(0)[: training.settings.batch_size]
        images = next(iter(views.images(0, rows, len(rows)))).numpy()
        images, targets = mix(images, views.labels[rows], pass_index=0, batch=0)
        titles = [_title_of_mix(names, target) for target in targets]
        count = min(len(rows), 2 * _DRAWN_PHOTOS)
        figure = plots.draw_photos(images[:count], titles[:count])
    else:
        rows = views.order(0)[:_DRAWN_PHOTOS]
        images = [next(iter(views.images(i, rows, len(rows)))) for i in (0, 1)]
        titles = [names[label] for label in views.labels[rows]]
        figure = plots.draw_photos(
            [image for both in zip(*images, strict=True) for image in both],
            [title for name in titles for title in (name, "")],
        )
    training.folder.save_figure("augmented.png", figure, dpi=_DPI_OF_PHOTOS)


def _title_of_mix(names, shares):
    """Returns the classes of one mix, the largest first, or of a label."""
    if np.ndim(shares) == 0:
        return names[shares]
    if len(shares) == 1:
        shares = (1 - shares[0], shares[0])
    parts = sorted(zip(shares, names, strict=True), reverse=True)
    if parts[0][0] > 0.995:
        return parts[0][1]
    return " ".join(f"{name} {x:.2f}" for x, name in parts if x >= 0.005)


def show_range_test(folder, stage_name: str, tested) -> None:
    """Draws a range test, and prints what it suggests.

    Args:
        folder: `RunFolder` of the run.
        stage_name: Name of the stage.
        tested: `lr_finder.RangeTest`.
    """
    suggestions = tested.suggestions()
    ax = plots.plot_range_test(tested.rates, tested.losses, suggestions)
    ax.set_title(f"{ax.get_title()}, stage {stage_name}")
    name = "lr_find_head.png" if stage_name == "head" else "lr_find.png"
    folder.save_figure(name, ax.figure)
    numbers = ", ".join(f"{x} {rate:.2g}" for x, rate in suggestions.items())
    say(f"Learning rate: {numbers}. Using valley. See {name}")


def draw_curves(training: Training) -> dict[str, bytes]:
    """Draws accuracy and loss by epoch, loss and learning rate by step.

    Args:
        training: The run.

    Returns:
        PNG files, by name.
    """
    history, folder, files = training.history, training.folder, {}
    if history.epochs:
        columns = {
            key: [row[key] for row in history.epochs]
            for key in history.epochs[0]
        }
        for metric in ("accuracy", "loss"):
            ax = plots.plot_history(
                columns,
                metric=metric,
                smoothing=training.config.smooth_curves,
            )
            files[metric] = folder.save_figure(f"{metric}.png", ax.figure)
    rows = history.steps
    if rows:  # none where the head was solved, and nothing else trained
        changes = [
            row["step"]
            for row, after in itertools.pairwise(rows)
            if row["stage"] != after["stage"]
        ]
        ax = plots.plot_step_losses(
            [row["step"] for row in rows],
            [row["loss"] for row in rows],
            changes=changes,
        )
        files["loss_by_step"] = folder.save_figure(
            "loss_by_step.png", ax.figure
        )
        ax = plots.plot_learning_rates(history.learning_rates, changes=changes)
        files["lr"] = folder.save_figure("lr.png", ax.figure)
    return files


def add_to_events(training: Training) -> None:
    """Adds the options and all figures of the run folder for TensorBoard.

    Args:
        training: The run.
    """
    history = training.history
    history.events.add(history.epochs, history.steps)  # of an epoch cut short
    flags = training.config.to_flags()
    history.events.add_text("flags", flags or ["(no flags)"])
    pictures = sorted(training.folder.path.glob("*.png"))
    history.events.add_pictures(pictures, step=len(history.epochs))
