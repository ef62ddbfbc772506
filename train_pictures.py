"""The pictures that train.py draws into the run folder."""

import itertools

import plots

_DRAWN_PHOTOS = 9


def draw_augmented(run, views, mix=None):
    """Draws what the training will see: two views each of some photos.

    Args:
        run: `RunFolder`.
        views: `PhotoViews` to train on.
        mix: `augment.Mixes` of the batches, or None.
    """
    rows = views.order(0)[:_DRAWN_PHOTOS]
    labels = views.labels[rows]
    names = views.photos.class_names
    drawn = []  # views of (image, title)
    for view in (0, 1):
        images = next(iter(views.images(view, rows, len(rows)))).numpy()
        titles = [names[label] for label in labels]
        if mix is not None:
            images, targets = mix(images, labels, pass_index=view, batch=0)
            titles = [_title_of_mix(names, shares) for shares in targets]
        drawn.append(zip(images, titles, strict=True))
    pairs = [pair for both in zip(*drawn, strict=True) for pair in both]
    if mix is None:  # the second view has the same
        pairs[1::2] = [(image, "") for image, _ in pairs[1::2]]
    figure = plots.plot_photos(*zip(*pairs, strict=True))
    run.save_figure("augmented.png", figure)


def _title_of_mix(names, shares):
    """Returns the classes of one mix, the largest first, e.g. dog .7 cat .3."""
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
