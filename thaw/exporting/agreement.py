"""Agreement of an export with the Keras model, photo by photo."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

# Where the two likeliest classes of a photo differ by less, the last bits
# decide.
TIE = 1e-4
# Measured: SqueezeNet 1e-5, VGG16 in 16 layers likewise; more is no rounding.
LARGEST_DIFFERENCE = 1e-3


class Answers(NamedTuple):
    """Probabilities of photos.

    Attributes:
        probabilities: float32 (N, C).
        milliseconds: Median time of a photo, alone, resizing included.
    """

    probabilities: np.ndarray
    milliseconds: float


class Agreement(NamedTuple):
    """Comparison of the answers of an export with those of the model.

    Attributes:
        photos: Photos compared.
        labels_differ: Photos with another predicted label, ties aside.
        largest_difference: Of any probability.
        accuracy: Accuracy of the export.
        accuracy_lost: That of the model, less that.
    """

    photos: int
    labels_differ: int
    largest_difference: float
    accuracy: float
    accuracy_lost: float


def answer(
    run: Callable[[np.ndarray], np.ndarray],
    photos: Iterable[np.ndarray],
    progress: Callable[[int], None],
) -> Answers:
    """Returns the answers of a runner.

    Args:
        run: Function that `open_runner` of a format returns.
        photos: float32 (1, H, W, 3) each.
        progress: Called with the number of photos done.
    """
    rows, seconds = [], []
    for photo in photos:
        start = time.perf_counter()
        rows.append(run(photo))
        seconds.append(time.perf_counter() - start)
        progress(len(rows))
    return Answers(np.concatenate(rows), float(np.median(seconds)) * 1000)


def compare(
    expected: np.ndarray, received: np.ndarray, labels: np.ndarray
) -> Agreement:
    """Returns how the probabilities of an export compare with the model's.

    Args:
        expected: The model's, float32 (N, C).
        received: The export's.
        labels: True label of each photo, int (N,).
    """
    first, second = np.sort(expected, axis=1)[:, [-1, -2]].T
    differ = expected.argmax(axis=1) != received.argmax(axis=1)
    accuracy, of_model = (
        float((x.argmax(axis=1) == labels).mean()) for x in (received, expected)
    )
    return Agreement(
        photos=len(labels),
        labels_differ=int((differ & (first - second >= TIE)).sum()),
        largest_difference=float(np.abs(expected - received).max()),
        accuracy=accuracy,
        accuracy_lost=of_model - accuracy,
    )


def why_refused(
    agreement: Agreement, is_exact: bool, max_loss: float
) -> str | None:
    """Returns why an export is not handed over; None: it is.

    Args:
        agreement: With the model.
        is_exact: Whether it computes in float32, as the model does.
        max_loss: Accuracy that another may lose, as a share.
    """
    if not np.isfinite(agreement.largest_difference):
        return "some of its probabilities are NaN or infinite"
    if not is_exact:
        if agreement.accuracy_lost > max_loss:
            return (
                f"it loses {agreement.accuracy_lost:.1%} in accuracy, more "
                f"than `max_accuracy_loss={max_loss * 100:g}%`"
            )
        return None
    if agreement.labels_differ:
        return (
            "it predicts another class than Keras for "
            f"{agreement.labels_differ} of {agreement.photos} photos"
        )
    if agreement.largest_difference > LARGEST_DIFFERENCE:
        return (
            "its probabilities differ from Keras's by up to "
            f"{agreement.largest_difference:.2g}; expected at most "
            f"{LARGEST_DIFFERENCE:g}"
        )
    return None
