import keras
import numpy as np
import pytest

from thaw.training.losses import Accuracy, crossentropy

LABELS = np.array([0, 2, 1, 2])
PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]],
    "float32",
)


def test_whole_labels_as_shares_cost_what_they_cost_as_integers():
    loss = crossentropy(3, 0.0, mixed=True)
    expected = keras.losses.sparse_categorical_crossentropy(
        LABELS, PROBABILITIES
    )
    for labels in (LABELS, LABELS[:, None], np.eye(3)[LABELS]):
        np.testing.assert_allclose(loss(labels, PROBABILITIES), expected, 1e-5)


def test_a_mix_costs_its_shares():
    loss = crossentropy(3, 0.0, mixed=True)
    shares = np.array([[0.25, 0.75, 0.0]], "float32")
    expected = -0.25 * np.log(0.7) - 0.75 * np.log(0.2)
    np.testing.assert_allclose(loss(shares, PROBABILITIES[:1]), expected, 1e-5)


def test_smoothing_two_classes_and_more():
    three = crossentropy(3, 0.3, mixed=False)
    smooth = 0.7 * np.eye(3)[LABELS] + 0.1
    expected = -(smooth * np.log(PROBABILITIES)).sum(1)
    np.testing.assert_allclose(three(LABELS, PROBABILITIES), expected, 1e-5)
    two = crossentropy(2, 0.2, mixed=False)
    expected = -0.9 * np.log(0.6) - 0.1 * np.log(0.4)
    for labels in (np.array([1]), np.array([[1]])):
        loss = two(labels, np.array([[0.6]]))
        np.testing.assert_allclose(loss, [expected], 1e-5)


def test_plain_labels_need_no_loss_of_ours():
    assert crossentropy(3, 0.0, mixed=False) is None


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(3)[LABELS]])
def test_accuracy_of_more_classes(labels):
    metric = Accuracy(3)
    metric.update_state(labels[:1], PROBABILITIES[:1])
    metric.update_state(labels[1:], PROBABILITIES[1:])
    assert float(metric.result()) == 0.75
    np.testing.assert_array_equal(
        metric.counts, [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    )
    metric.reset_state()
    assert float(metric.result()) == 0


def test_accuracy_of_two_classes():
    probabilities = np.array([[0.9], [0.2], [0.6], [0.4]], "float32")
    for labels in ([1, 1, 1, 0], [[0.8], [0.7], [1.0], [0.1]]):
        metric = Accuracy(2)
        metric.update_state(np.array(labels), probabilities)
        assert float(metric.result()) == 0.75


def test_fit_on_mixes_and_validate_on_integers():
    """Keras's own metric would take the integers for shares."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile(loss=crossentropy(3, 0.0, mixed=True), metrics=[Accuracy(3)])
    x = np.random.default_rng(0).normal(size=(3, 3)).astype("float32")
    y = np.array([0, 1, 2])  # as many photos as classes
    mixes = 0.9 * np.eye(3)[y] + 0.1 / 3
    history = model.fit(
        x, mixes, batch_size=3, epochs=1, validation_data=(x, y), verbose=0
    )
    predicted = model.predict(x, verbose=0).argmax(1)
    assert history.history["val_accuracy"] == [
        pytest.approx((predicted == y).mean())
    ]
