"""Learning rates as pure functions of the step, over one stage."""

import keras
import numpy as np


def constant(steps: np.ndarray, num_steps: int, peak: float) -> np.ndarray:
    """Returns the same rate for every step, float64 (S,).

    Args:
        steps: Steps from 0, (S,).
        num_steps: Steps of the stage.
        peak: The rate.
    """
    return np.full(len(steps), float(peak))


def cosine(
    steps: np.ndarray, num_steps: int, peak: float, warm_up: float = 0.0
) -> np.ndarray:
    """Returns a straight rise to `peak`, then half a cosine down to 0.

    Loshchilov & Hutter 2017 (arXiv:1608.03983) without restarts; the warm-up
    is that of Goyal et al. 2017 (arXiv:1706.02677).

    Args:
        steps: Steps from 0, (S,).
        num_steps: Steps of the stage.
        peak: The highest rate.
        warm_up: Share of the steps in which the rate rises, in [0, 1].

    Returns:
        float64 (S,). The first step has a rate above 0.
    """
    rise = round(warm_up * num_steps)
    fall = np.clip((steps - rise) / max(1, num_steps - rise), 0, 1)
    return peak * np.where(
        steps < rise,
        (steps + 1) / (rise + 1),
        (1 + np.cos(np.pi * fall)) / 2,
    )


def one_cycle(
    steps: np.ndarray,
    num_steps: int,
    peak: float,
    peak_fraction: float = 0.25,
    div_factor: float = 25.0,
    final_div_factor: float = 1e5,
) -> np.ndarray:
    """Returns half a cosine up to `peak`, then half a cosine down.

    Smith & Topin 2017 (arXiv:1708.07120), with the numbers and the shape of
    fastai's `fit_one_cycle` (fastai/callback/schedule.py); its momentum, which
    goes the other way, is left constant here.

    Args:
        steps: Steps from 0, (S,).
        num_steps: Steps of the stage.
        peak: The highest rate.
        peak_fraction: Share of the steps before the peak, in (0, 1).
        div_factor: The first rate is peak / div_factor.
        final_div_factor: After the last step the rate would be
            peak / final_div_factor.

    Returns:
        float64 (S,).
    """
    position = steps / num_steps
    up = _half_cosine(position / peak_fraction, peak / div_factor, peak)
    down = _half_cosine(
        (position - peak_fraction) / (1 - peak_fraction),
        peak,
        peak / final_div_factor,
    )
    return np.where(position < peak_fraction, up, down)


def _half_cosine(position, first, last):
    """Returns a smooth way from `first` at 0 to `last` at 1."""
    return first + (last - first) * (1 - np.cos(np.pi * position)) / 2


@keras.saving.register_keras_serializable("thaw")
class StepTable(keras.optimizers.schedules.LearningRateSchedule):
    """The rates of a stage, looked up by the optimizer's step.

    A schedule of NumPy numbers, made before training: what is drawn, logged
    and used is one table, and no callback has to run between steps.
    """

    def __init__(self, rates: np.ndarray):
        """Takes one rate a step; beyond the last, it stays.

        Args:
            rates: float (S,).
        """
        self.rates = np.asarray(rates, "float32")

    def __call__(self, step):
        """Returns the rate of a step, a float32 scalar tensor."""
        ops = keras.ops
        last = len(self.rates) - 1
        index = ops.minimum(ops.cast(step, "int32"), last)
        return ops.take(ops.convert_to_tensor(self.rates), index)

    def get_config(self):
        return {"rates": self.rates.tolist()}
