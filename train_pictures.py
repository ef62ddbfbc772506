"""The pictures that train.py draws into the run folder."""

import itertools

import plots

_DRAWN_PHOTOS = 9


def draw_augmented(run, views):
    """Draws what the training will see: two views each of some photos."""
    rows = views.order(0)[:_DRAWN_PHOTOS]
    images = [next(iter(views.images(i, rows, len(rows)))) for i in (0, 1)]
    names = views.photos.class_names
    titles = [names[label] for label in views.labels[rows]]
    figure = plots.plot_photos(
        [image for both in zip(*images, strict=True) for image in both],
        [title for name in titles for title in (name, "")],
    )
    run.save_figure("augmented.png", figure)


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
