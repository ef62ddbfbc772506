"""Models that hold other models as layers."""

from collections.abc import Iterable

import keras

from model_zoo.unfreeze import containers
from thaw.errors import UserError, first_line


def layer_output(model: keras.Model, name: str) -> keras.KerasTensor:
    """Returns what a layer makes in `model`.

    `layer.output` of a layer that is itself a model is a tensor inside that.

    Args:
        model: Functional model.
        name: Name of one of its layers.
    """
    layer = model.get_layer(name)
    return next(
        node.output_tensors[0]
        for depth in sorted(model._nodes_by_depth)  # the last call first
        for node in model._nodes_by_depth[depth]
        if node.operation is layer
    )


def unnest_points(
    model: keras.Model, cut_at: str | None, unfreeze_from: str | None
) -> tuple[keras.Model, str | None]:
    """Returns a model with both layers among its own, and where to cut it.

    The models that hold them, one in the other, are replaced by their layers.
    All others stay one layer, and so does a model without such layers.

    Args:
        model: Functional model; its layers are shared with the result.
        cut_at, unfreeze_from: As in `build_model`.

    Raises:
        UserError: If a name would stand twice.
    """
    model = _unnested(model, cut_at)
    holders = {x.name: x for x in model.layers if isinstance(x, keras.Model)}
    model = _unnested(model, unfreeze_from)
    if cut_at in holders and holders[cut_at] not in model.layers:
        cut_at = holders[cut_at].outputs[0]._keras_history.operation.name
    return model, cut_at


def _unnested(model, name):
    while holders := [
        layer
        for layer in model.layers
        if isinstance(layer, keras.Model)
        and any(x.name == name for y in containers(layer) for x in y.layers)
    ]:
        if name in [layer.name for layer in model.layers]:
            break
        model = open_holder(model, holders[0])
    return model


def open_holder(model: keras.Model, holder: keras.Model) -> keras.Model:
    """Returns `model` with the layers of `holder` in its place.

    Args:
        model: Functional model; its layers are shared with the result.
        holder: A layer of it that is itself a functional model.

    Raises:
        UserError: If a name would stand twice.
    """

    def call(operation, *args, **kwargs):
        # Not as one layer: on Keras tensors, each layer is called by itself.
        if operation is holder:
            return holder.call(*args, **kwargs)
        return operation(*args, **kwargs)

    try:
        return keras.models.clone_model(
            keras.Model(model.inputs[0], model.outputs[0], name=model.name),
            clone_function=lambda layer: layer,
            call_function=call,
        )
    except ValueError as error:  # a name stands twice
        raise UserError(
            f"The layers inside '{holder.name}' of {model.name} can't be used "
            f"by name: {first_line(error)}"
        ) from error


def with_inner_layers(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    """Returns layers, each followed by those inside it, in order."""
    found = []
    for layer in layers:
        inner = layer.layers if isinstance(layer, keras.Model) else ()
        inner = [x for x in inner if not isinstance(x, keras.layers.InputLayer)]
        found += [layer, *with_inner_layers(inner)]
    return found
