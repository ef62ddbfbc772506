import keras
import numpy as np
import pytest

from thaw.training import lr_finder
from thaw.training.schedules import StepTable

RATES = np.geomspace(1e-7, 10, 81)  # ten a decade


def test_the_valley_is_between_moving_and_too_large():
    losses = np.full(81, 1.0)
    losses[30:60] = 0.5  # from 1e-4 to below 1e-1, then it diverges
    losses[60:] = 3.0
    assert lr_finder.valley(RATES, losses) == pytest.approx(
        np.sqrt(RATES[30] * RATES[59])
    )
    # A step that rises on the way does not end it, nor does one that a good
    # head leaves no descent: what counts is where it moves, and diverges.
    losses[40] = 1.5
    losses[41:59] = 1.01
    losses[59] = 0.97
    assert lr_finder.valley(RATES, losses) == pytest.approx(
        np.sqrt(RATES[30] * RATES[59])
    )


def test_the_valley_keeps_away_from_the_wall():
    wall = RATES[RATES < 1e-3][-1]
    falling = np.where(RATES < wall / 2, 1.0, 0.9)
    falling[RATES > wall] = 2.0
    assert lr_finder.valley(RATES, falling) == pytest.approx(wall / 10)
    # A head that is trained well leaves nothing to fall.
    rising = np.where(RATES <= wall, 1.0, 2.0)
    assert lr_finder.valley(RATES, rising) == pytest.approx(wall / 10)


def test_a_loss_that_does_not_move_is_said():
    with pytest.raises(FloatingPointError, match="`learning_rate`"):
        lr_finder.valley(RATES, np.ones(81))


def test_the_steepest_place_is_by_the_logarithm_of_the_rate():
    rates = np.geomspace(1e-6, 1, 61)
    losses = 1 / (1 + np.exp(5 * (np.log10(rates) + 3)))
    assert lr_finder.steepest(rates, losses) == pytest.approx(1e-3)


def test_suggestions_have_the_names_of_their_rules():
    losses = np.linspace(2, 1, 81)
    found = lr_finder.RangeTest(RATES, losses).suggestions()
    assert list(found) == ["valley", "steep", "minimum/10"]
    assert found["minimum/10"] == pytest.approx(1)


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


def test_the_twin_takes_out_what_a_batch_costs(model):
    def uneven():
        for step, (inputs, labels) in enumerate(batches()):
            # Every other batch is hopeless: its labels are turned around.
            yield inputs, labels if step % 2 else 1 - labels

    found = lr_finder.range_test(model, compile_with(model), uneven())
    small = found.losses[found.rates < 1e-5]
    assert small.std() < 1e-3 * small.mean()


def test_class_weights_weigh_both_alike(model):
    def weighed():
        for inputs, labels in batches():
            weights = np.where(labels == 0, 10.0, 0.1).astype("float32")
            yield inputs, labels, weights

    found = lr_finder.range_test(model, compile_with(model), weighed())
    small = found.losses[found.rates < 1e-5]
    assert small.std() < 1e-3 * small.mean()
    assert small.mean() > 2  # half of the photos weigh ten


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

    with pytest.raises(FloatingPointError, match="`learning_rate`"):
        lr_finder.range_test(model, compile_with(model), bad())
