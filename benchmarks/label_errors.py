"""Label errors that are planted, and those that are found.

    python -m benchmarks.label_errors --data=cats_vs_dogs \
        --backbone=mobilenet.keras --preprocess=tf --image_size=224

Features of all photos are computed once, by the frozen base. Labels of two
classes are then made wrong, in as many ways as people do: some of each class;
of one class put into the other; of the rare class put into the large one, and
the other way round. Per case, on average over seeds, the classes taking turns:
how many labels are listed, how many of these are planted (precision) and how
many the page says to be wrong, how many of the planted ones are listed
(recall), and how many of the right photos of the rare class.
"""

import dataclasses

import numpy as np
from absl import app, flags

from benchmarks import machine

DATA = flags.DEFINE_string("data", None, "Labelled photos, as in train.py.")
BACKBONE = flags.DEFINE_string("backbone", "vgg16", "As in train.py.")
PREPROCESS = flags.DEFINE_string("preprocess", "auto", "As in train.py.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", 150, "Pixels a side.")
SEEDS = flags.DEFINE_integer(
    "seeds", 3, "Number of seeds; few photos: 4 times."
)
flags.mark_flag_as_required("data")

_SMALL = 200  # photos


@dataclasses.dataclass(frozen=True)
class Case:
    """Photos and errors.

    Attributes:
        large, rare: Photos of each class; None: all.
        planted: Where: `each` class, `from` the large class into the rare one,
            or `into` the large class from the rare one.
        rate: Share of the photos of a class that get a wrong label.
    """

    large: int | None
    rare: int | None
    planted: str
    rate: float


CASES = [
    Case(None, None, "each", 0.0),
    Case(None, None, "from", 0.2),
    *(Case(None, None, "each", rate) for rate in (0.01, 0.05, 0.1)),
    *(Case(85, 85, "each", rate) for rate in (0.0, 0.05)),
    *(
        Case(large, large // 16, planted, rate)
        for large in (1500, 480, 160)
        for planted, rate in (("each", 0.0), ("from", 0.05), ("into", 0.05))
    ),
]


def main(_):
    from thaw.evaluation.label_noise import find_suspected

    features, labels = compute_features()
    available = np.bincount(labels)
    rows = []
    for case in CASES:
        others = (case.large or 0) * case.rate * (case.planted == "into")
        needed = max(case.large or 0, (case.rare or 0) + others)
        if needed > available.min():
            continue
        few = case.large is not None and case.large + case.rare < _SMALL
        results = []
        for seed in range(SEEDS.value * (4 if few else 1)):
            photos, given, true = plant(case, labels, seed)
            found, not_judged = find_suspected(features[photos], given)
            results.append(measure(found, given, true, bool(not_judged)))
        rows.append(describe(case, np.array(results)))
        print(rows[-1], flush=True)
    machine.print_table(
        [
            "photos",
            "planted",
            "listed",
            "precision",
            "expected",
            "recall",
            "right rare ones listed",
            "not judged",
        ],
        rows,
    )


def compute_features():
    """Returns the input of the head for each photo, and the labels."""
    from model_zoo import build_model
    from thaw.data.inspect import inspect_photos
    from thaw.data.load import load_photos
    from thaw.evaluation.predictions import predict_labelled

    train, validation = load_photos(DATA.value)
    photos = train if validation is None else train + validation
    model = build_model(
        BACKBONE.value,
        len(photos.class_names),
        image_size=IMAGE_SIZE.value,
        preprocess=PREPROCESS.value,
        weights="auto",
        unfreeze_from="none",
        pooling="avg",
        hidden_units=0,
        dropout=0.0,
    )
    predictions, features = predict_labelled(model, inspect_photos(photos))
    return features, predictions.labels


def plant(case, labels, seed):
    """Returns rows of photos, their labels and the true ones (1: rare)."""
    random = np.random.default_rng(seed)
    sides = [random.permutation(np.flatnonzero(labels == x)) for x in (0, 1)]
    if seed % 2:
        sides.reverse()
    counts = [case.large or len(sides[0]), case.rare or len(sides[1])]
    rows = np.concatenate(
        [side[:n] for side, n in zip(sides, counts, strict=True)]
    )
    true = np.repeat(
        [0, 1], [len(side[:n]) for side, n in zip(sides, counts, strict=True)]
    )
    given = true.copy()
    for label in (0, 1) if case.planted == "each" else (0,):
        own = np.flatnonzero(true == label)
        chosen = random.permutation(own)[: round(case.rate * len(own))]
        if case.planted == "into":  # others in their place, with their label
            rows[chosen] = sides[1][counts[1] :][: len(chosen)]
            true[chosen] = 1
        else:
            given[chosen] = 1 - label
    return rows, given, true


def measure(found, given, true, is_not_judged):
    """Returns numbers to add up over seeds."""
    listed = np.zeros(len(given), bool)
    listed[[photo.row for photo in found]] = True
    planted, right = given != true, (given == true) & (true == 1)
    return (
        len(given),
        planted.sum(),
        listed.sum(),
        (listed & planted).sum(),
        sum(photo.probability for photo in found),
        right.sum(),
        (listed & right).sum(),
        is_not_judged,
    )


def describe(case, results):
    """Returns the cells of one row of the table."""
    photos, planted, listed, hits, expected, right, false, not_judged = (
        results.mean(axis=0)
    )

    def share(part, whole):
        return f"{part / whole:.2f}" if whole else "-"

    sizes = (
        f"{photos:.0f}" if case.large is None else f"{case.large} + {case.rare}"
    )
    return [
        sizes,
        f"{case.planted} {case.rate:.0%}: {planted:.0f}",
        f"{listed:.1f}",
        share(hits, listed),
        share(expected, listed),
        share(hits, planted),
        share(false, right),
        share(not_judged, 1),
    ]


if __name__ == "__main__":
    app.run(main)
