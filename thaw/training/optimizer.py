"""The optimizer of a stage: rates that change by step and by layer group."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from thaw.training.schedules import StepTable


def group_rates(
    rates: np.ndarray, groups: Sequence[str], layer_decay: float
) -> dict[str, np.ndarray]:
    """Returns the rates of each group: each learns slower than the one above.

    Args:
        rates: Rates of the first group, one a step, float (S,).
        groups: Names of the groups, the last layers first.
        layer_decay: What a group's rate is of that of the group above.

    Returns:
        float (S,) by name.
    """
    return {
        name: rates * layer_decay**depth for depth, name in enumerate(groups)
    }


def make_optimizer(
    make_one: Callable[..., keras.optimizers.Optimizer],
    rates: Mapping[str, np.ndarray],
    groups: Mapping[str, Sequence[keras.Variable]],
) -> keras.optimizers.Optimizer:
    """Returns a new optimizer in which each group has its own rates.

    Args:
        make_one: Function from `learning_rate` to an optimizer.
        rates: Rates of each group, one a step.
        groups: Variables of each group.
    """
    # Named, so that the variables of a resumed run have the names they had.
    first, *others = [
        make_one(learning_rate=StepTable(rates[name]), name=f"of_{name}")
        for name in groups
    ]
    if not others:
        return first
    by_path = {
        variable.path: optimizer
        for optimizer, variables in zip(
            others, list(groups.values())[1:], strict=True
        )
        for variable in variables
    }
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(first, by_path), name="of_groups"
    )
