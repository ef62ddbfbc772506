"""Seconds until a validation loss is reached for good, of several contestants.

Times are told beside those of the contestant `thaw`.
"""

import math
import statistics

from benchmarks import machine


def summarize(usage, rows, first_epochs):
    """Returns the facts of one run; `first_epochs` are not like the rest."""
    ends = [seconds for seconds, line in usage.lines if "val_loss" in line]
    seconds = [float(row["seconds"]) for row in rows[first_epochs:]]
    return {
        "epoch_ends": [round(end, 1) for end in ends],
        "val_loss": [round(float(row["val_loss"]), 4) for row in rows],
        "val_accuracy": [round(float(row["val_accuracy"]), 4) for row in rows],
        "epoch_seconds": round(statistics.median(seconds), 2),
        "memory": round(usage.memory, 2),
    }


def seconds_to(target, result):
    """Returns when the loss is at most `target` and stays so, or infinity."""
    reached = math.inf
    for end, loss in zip(result["epoch_ends"], result["val_loss"], strict=True):
        if loss > target:
            reached = math.inf
        else:
            reached = min(reached, end)
    return reached


def find_targets(results, given):
    """Returns whose loss is to be reached, and that of each seed, by name."""
    targets = {}
    if "classic" in results:
        losses = [min(x["val_loss"]) for x in results["classic"]]
        targets["classic's best"] = ("classic", losses)
    if "fastai" in results:
        losses = [x["val_loss"][-1] for x in results["fastai"]]
        targets["fastai's last"] = ("fastai", losses)
    if given is not None:
        num_seeds = len(next(iter(results.values())))
        targets[f"{given:g}"] = (None, [given] * num_seeds)
    return targets


def print_table(results, given=None):
    """Prints one row per contestant, medians over the seeds.

    Args:
        results: Those of `summarize`, one a seed, by the name of a contestant.
        given: Another validation loss to reach, or None.
    """
    targets = find_targets(results, given)
    times = {
        name: [
            statistics.median(x["epoch_seconds"] for x in of_name),
            *(
                median_seconds_to(losses, of_name, is_own=name == owner)
                for owner, losses in targets.values()
            ),
            statistics.median(x["epoch_ends"][-1] for x in of_name),
        ]
        for name, of_name in results.items()
    }

    def in_words(seconds, ours):
        if math.isinf(seconds):
            return "not reached"
        if math.isinf(ours):
            return f"{seconds:.1f}"
        return f"{seconds:.1f} ({seconds / ours:.1f} x)"

    for target, (_, losses) in targets.items():
        print(f"validation loss {target}, by seed: {losses}")
    machine.print_table(
        [
            "",
            "s per fine-tune epoch",
            *(f"s to {target} loss" for target in targets),
            "s to the last epoch",
            "accuracy, kept epoch",
            "best validation loss",
            "peak memory, GB",
        ],
        [
            [
                name,
                *map(in_words, times[name], times.get("thaw", times[name])),
                f"{statistics.median(map(kept_accuracy, of_name)):.3f}",
                f"{statistics.median(min(x['val_loss']) for x in of_name):.4f}",
                f"{max(x['memory'] for x in of_name):.2f}",
            ]
            for name, of_name in results.items()
        ],
    )


def median_seconds_to(losses, results, is_own):
    """Returns the seconds to a loss; to its own it need not stay there."""
    return statistics.median(
        result["epoch_ends"][result["val_loss"].index(loss)]
        if is_own
        else seconds_to(loss, result)
        for loss, result in zip(losses, results, strict=True)
    )


def kept_accuracy(result):
    """Returns the accuracy of the epoch with the lowest validation loss."""
    best = result["val_loss"].index(min(result["val_loss"]))
    return result["val_accuracy"][best]
