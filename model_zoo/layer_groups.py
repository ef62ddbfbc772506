"""Layer groups, each with a learning rate of its own."""

import keras

from model_zoo.layer_names import HEAD_PREFIX

GROUPS = ("head", "upper", "lower")


def layer_groups(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """Returns the variables that train, in up to three groups, last first.

    `head`; `upper` and `lower`, the two halves of the layers of the base that
    train. So fastai groups the layers of a pretrained network
    (fastai/vision/learner.py), whose features are the more general the lower
    they are (Howard & Ruder 2018, arXiv:1801.06146).

    Args:
        model: Model of `build_model`, unfrozen.

    Returns:
        The trainable variables by group; no group is empty.
    """
    trained = [layer for layer in model.layers if layer.trainable_variables]
    base = [x for x in trained if not x.name.startswith(HEAD_PREFIX)]
    middle = len(base) // 2
    # The head comes after the base.
    layers_of = (trained[len(base) :], base[middle:], base[:middle])
    return {
        name: [v for layer in layers for v in layer.trainable_variables]
        for name, layers in zip(GROUPS, layers_of, strict=True)
        if layers
    }
