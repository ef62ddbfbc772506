import keras
import numpy as np
import pytest

from training import lr_finder
from training.schedules import StepTable


def test_the_valley_is_halfway_down_the_longest_descent():
    losses = np.array([3, 3.1, 3, 2.5, 2, 1.6, 1.2, 1.0, 1.5, 4])
    assert lr_finder.valley(losses) == (1 + 7) // 2
    # A small rise on the way does not end it.
    losses[4] = 2.6
    assert lr_finder.valley(losses) == (1 + 7) // 2
    assert lr_finder.valley(np.array([1.0, 2.0, 3.0])) == 0


def test_the_steepest_place_is_by_the_logarithm_of_the_rate():
    rates = np.geomspace(1e-6, 1, 61)
    losses = 1 / (1 + np.exp(5 * (np.log10(rates) + 3)))
    assert rates[lr_finder.steepest(rates, losses)] == pytest.approx(1e-3)


def test_suggestions_leave_out_the_first_tenth_and_the_last_five():
    rates = np.geomspace(1e-7, 10, 100)
    losses = np.concatenate([[0.0] * 10, np.linspace(2, 1, 85), [0.0] * 5])
    found = lr_finder.RangeTest(rates, losses).suggestions()
    assert found["minimum/10"] == pytest.approx(rates[94] / 10)
    assert found["valley"] == pytest.approx(rates[10 + 42])


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def batches():
    rng = np.random.default_rng(0)
    for _ in range(lr_finder.NUM_STEPS):
        x = rng.normal(size=(20, 8)).astype("float32")
        yield (x,), (x[:, 0] > 0).astype("int32")


def compile_with(model):
    def compile_with(rates):
        model.compile(
            keras.optimizers.SGD(StepTable(rates)),
            loss="binary_crossentropy",
            metrics=["accuracy"],
        )

    return compile_with


def test_it_finds_a_rate_that_learns_and_leaves_no_trace(model):
    before = [np.array(v) for v in model.variables]
    found = lr_finder.range_test(model, compile_with(model), batches())
    assert 10 < len(found.rates) == len(found.losses) <= lr_finder.NUM_STEPS
    assert found.rates[0] == pytest.approx(lr_finder.FIRST_RATE)
    assert 1e-4 < found.suggestions()["valley"] < 10
    # Weights, statistics and the state of Dropout, bit for bit.
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)


def test_training_after_it_is_as_without_it(model):
    def train(look_first):
        if look_first:
            lr_finder.range_test(model, compile_with(model), batches())
        start = [np.array(v) for v in model.variables]
        compile_with(model)(np.full(20, 0.1))
        for (x,), y in list(batches())[:20]:
            model.train_on_batch(x, y)
        weights = model.get_weights()
        for variable, value in zip(model.variables, start, strict=True):
            variable.assign(value)
        return weights

    for a, b in zip(train(True), train(False), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_stops_where_the_loss_diverges(model):
    def exploding():
        for inputs, labels in batches():
            yield (inputs[0] * 100,), labels

    found = lr_finder.range_test(model, compile_with(model), exploding())
    assert np.isfinite(found.losses).all()
    assert found.losses.max() <= 4 * found.losses.min() * 1.5


def test_a_loss_that_is_no_number_is_said(model):
    def bad():
        for inputs, labels in batches():
            yield inputs, np.full(len(labels), np.nan, "float32")

    with pytest.raises(FloatingPointError, match="--learning_rate"):
        lr_finder.range_test(model, compile_with(model), bad())
