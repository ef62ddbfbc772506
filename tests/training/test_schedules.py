import keras
import numpy as np
import pytest

from thaw.training import schedules


def table(schedule, num_steps, *args, **kwargs):
    return schedule(np.arange(num_steps), num_steps, *args, **kwargs)


def test_constant():
    np.testing.assert_array_equal(table(schedules.constant, 3, 0.1), [0.1] * 3)


def test_cosine_falls_to_zero():
    np.testing.assert_allclose(
        table(schedules.cosine, 4, 2.0),
        [2, 1 + np.sqrt(0.5), 1, 1 - np.sqrt(0.5)],
    )


def test_cosine_with_warm_up_rises_in_a_straight_line_from_above_zero():
    np.testing.assert_allclose(
        table(schedules.cosine, 8, 1.0, warm_up=0.5),
        [
            0.2,
            0.4,
            0.6,
            0.8,
            1,
            0.5 + np.sqrt(0.125),
            0.5,
            0.5 - np.sqrt(0.125),
        ],
    )


def test_one_cycle_has_the_numbers_of_fastai():
    """Peak 1 after a quarter, from 1/25, towards 1e-5."""
    rates = table(schedules.one_cycle, 100, 1.0)
    assert rates[0] == pytest.approx(1 / 25)
    assert rates.argmax() == 25 and rates[25] == 1
    # Half a cosine: halfway up and down at half of the way.
    middle_up = (rates[12] + rates[13]) / 2
    assert middle_up == pytest.approx((1 + 1 / 25) / 2, abs=1e-3)
    middle_down = (rates[62] + rates[63]) / 2
    assert middle_down == pytest.approx((1 + 1e-5) / 2, abs=1e-3)
    assert 1e-5 < rates[-1] < 1e-3
    assert (np.diff(rates[:26]) > 0).all() and (np.diff(rates[25:]) < 0).all()


def test_one_cycle_with_the_numbers_of_fine_tune():
    rates = table(
        schedules.one_cycle, 100, 1e-3, peak_fraction=0.3, div_factor=5
    )
    assert rates[0] == pytest.approx(2e-4)
    assert rates.argmax() == 30
    head = table(schedules.one_cycle, 100, 2e-3, peak_fraction=0.99)
    assert head.argmax() == 99


@pytest.mark.parametrize("steps_per_execution", [1, 4])
def test_an_optimizer_uses_the_rates_of_a_table(steps_per_execution):
    """With SGD and a gradient of 1, each step goes as far as its rate."""
    rates = [0.5, 0.25, 0.125, 1.0]
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.set_weights([np.zeros((1, 1))])
    model.compile(
        keras.optimizers.SGD(schedules.StepTable(rates)),
        loss=lambda _, y: -y,
        steps_per_execution=steps_per_execution,
    )
    x = np.ones((4, 1), "float32")
    model.fit(x, x, batch_size=1, verbose=0)
    assert model.get_weights()[0].item() == pytest.approx(sum(rates))
