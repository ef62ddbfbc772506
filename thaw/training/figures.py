"""The pictures that train.py draws into the run folder."""

import itertools

import numpy as np

import plots
from thaw.runs import reader

_DRAWN_PHOTOS = 9


def draw_augmented(run, views, mix, batch_size):
    """Draws what the training will see.

    That is two views each of some photos, or, mixed, those of the first batch.

    Args:
        run: `RunFolder`.
        views: `PhotoViews` to train on.
        mix: `augment.Mixes` of the batches, or None.
        batch_size: Photos per step.
    """
    names = views.photos.class_names
    if mix is not None:
        rows = views.order(0)[:batch_size]
        images = next(iter(views.images(0, rows, len(rows)))).numpy()
        images, targets = mix(images, views.labels[rows], pass_index=0, batch=0)
        titles = [_title_of_mix(names, target) for target in targets]
        count = min(len(rows), 2 * _DRAWN_PHOTOS)
        figure = plots.plot_photos(images[:count], titles[:count])
    else:
        rows = views.order(0)[:_DRAWN_PHOTOS]
        images = [next(iter(views.images(i, rows, len(rows)))) for i in (0, 1)]
        titles = [names[label] for label in views.labels[rows]]
        figure = plots.plot_photos(
            [image for both in zip(*images, strict=True) for image in both],
            [title for name in titles for title in (name, "")],
        )
    run.save_figure("augmented.png", figure)


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


def show_range_test(run, stage_name, tested):
    """Draws a range test and prints what it suggests."""
    suggestions = tested.suggestions()
    ax = plots.plot_range_test(tested.rates, tested.losses, suggestions)
    ax.set_title(f"{ax.get_title()}, stage {stage_name}")
    name = "lr_find_head.png" if stage_name == "head" else "lr_find.png"
    run.save_figure(name, ax.figure)
    numbers = ", ".join(f"{x} {rate:.2g}" for x, rate in suggestions.items())
    print(f"Learning rate: {numbers}. Taken: valley. See {name}")


def draw_curves(run, keeper, smoothing):
    """Draws what was learned, by epoch and by step, and at which rate."""
    if keeper.history:
        columns = {
            key: [row[key] for row in keeper.history]
            for key in keeper.history[0]
        }
        for metric in ("accuracy", "loss"):
            ax = plots.plot_history(columns, metric=metric, smoothing=smoothing)
            run.save_figure(f"{metric}.png", ax.figure)
    rows = keeper.steps
    if rows:  # none where the head was solved, and nothing else trained
        steps = [row["step"] for row in rows]
        losses = [row["loss"] for row in rows]
        changes = [
            row["step"]
            for row, after in itertools.pairwise(rows)
            if row["stage"] != after["stage"]
        ]
        ax = plots.plot_step_losses(steps, losses, changes=changes)
        run.save_figure("loss_by_step.png", ax.figure)
        ax = plots.plot_rates(keeper.rates, changes=changes)
        run.save_figure("lr.png", ax.figure)


def add_to_events(run, keeper):
    """Adds the flags and all pictures of the run folder for TensorBoard."""
    keeper.events.add(keeper.history, keeper.steps)  # of an epoch cut short
    flags = reader.load_flags(run.path)
    keeper.events.add_text("flags", flags or ["(no flags)"])
    pictures = sorted(run.path.glob("*.png"))
    keeper.events.add_pictures(pictures, step=len(keeper.history))
