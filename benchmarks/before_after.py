"""One job of train.py before and after: another commit, the working tree.

    python -m benchmarks.before_after --job=squeezenet --photos=cats_vs_dogs \
        --backbones=backbones --repeats=3 COMMIT
    python -m benchmarks.before_after COMMIT -- --data=/home/me/photos

Both run the same command in turns, each time with empty caches: seconds from
the start of the process to its end, CPU use, largest memory, and validation
accuracy and loss of the kept epoch. Prints medians, ratios, and all values.
"""

import statistics

from absl import app, flags

from benchmarks import jobs, machine, process, train_job

REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each, per seed.")
SEEDS = flags.DEFINE_integer("seeds", 1, "Number of seeds.")

FACTS = {
    "seconds": "{:.1f}",
    "CPU, %": "{:.0f}",
    "memory, GB": "{:.2f}",
    "accuracy": "{:.4f}",
    "loss": "{:.4f}",
}


def main(argv):
    _, commit, *given = argv
    flags_of_train = jobs.train_flags(given)
    facts = {"before": [], "after": []}
    with train_job.checkout(commit) as root:
        roots = {"before": root, "after": process.ROOT}
        for number in range(SEEDS.value * REPEATS.value):
            seed = number // REPEATS.value
            # The second of a pair may find a warmer machine.
            for side in sorted(facts, reverse=number % 2 == 0):
                found = facts_of_run(
                    roots[side], [*flags_of_train, f"--seed={seed}"]
                )
                facts[side].append(found)
                print(f"seed {seed}, {side}: {in_words(found)}", flush=True)
    print(
        f"\n{machine.describe_machine()}\ntrain.py {' '.join(flags_of_train)}"
    )
    print_table(facts)


def facts_of_run(root, flags_of_train):
    """Returns the values of one run, in the order of `FACTS`."""
    run = train_job.run_job(root, flags_of_train)
    return [
        run.usage.seconds,
        run.usage.cpu_percent,
        run.usage.memory,
        run.summary["val_accuracy"],
        run.summary["val_loss"],
    ]


def in_words(values):
    """Returns the values of one run on a line."""
    return ", ".join(
        f"{name} {form.format(value)}"
        for (name, form), value in zip(FACTS.items(), values, strict=True)
    )


def print_table(facts):
    """Prints a row per side, medians and all values, and one of ratios."""
    medians = {
        side: [statistics.median(column) for column in zip(*rows, strict=True)]
        for side, rows in facts.items()
    }
    rows = []
    for side, values in facts.items():
        row = [side]
        for median, form, column in zip(
            medians[side],
            FACTS.values(),
            zip(*values, strict=True),
            strict=True,
        ):
            every = ", ".join(map(form.format, column))
            row.append(f"{form.format(median)} ({every})")
        rows.append(row)
    pairs = zip(medians["before"], medians["after"], strict=True)
    ratios = [f"{after / before:.3f}" for before, after in pairs]
    machine.print_table(["", *FACTS], [*rows, ["after / before", *ratios]])


if __name__ == "__main__":
    flags.FLAGS.set_gnu_getopt(True)
    app.run(main)
