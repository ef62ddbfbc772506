"""The split of a model in two, at the unfreeze point."""

import keras


def split(
    model: keras.Model, first_trained: keras.Layer
) -> tuple[keras.Model, keras.Model]:
    """Returns (frozen, trained): two models that share the layers of `model`.

    `trained(frozen(x))` equals `model(x)` exactly. The boundary between them
    is every tensor made by the frozen operations alone that a later operation
    uses: one for a plain chain, several inside a residual or dense block, in
    the order in which they are used.

    Args:
        model: Functional `keras.Model` with one input.
        first_trained: The layer of `model.layers` that `trained` starts with;
            everything before it in `model.operations` order is frozen.

    Returns:
        frozen, from the input of `model` to the list of boundary tensors, and
        trained, from that list to the output of `model`.

    Raises:
        ValueError: If nothing comes before `first_trained`.
    """
    boundary = boundary_tensors(model, first_trained)
    frozen = keras.Model(model.input, boundary, name="frozen")
    trained = keras.Model(boundary, model.output, name="trained")
    return frozen, trained


def boundary_tensors(
    model: keras.Model, first_trained: keras.Layer
) -> list[keras.KerasTensor]:
    """Returns the tensors between the two parts of `split`.

    Args:
        model, first_trained: As in `split`.

    Raises:
        ValueError: If nothing comes before `first_trained`.
    """
    operations = model.operations
    frozen_operations = set(
        map(id, operations[: operations.index(first_trained)])
    )
    nodes = _nodes_in_order(model)
    frozen_tensors = {id(tensor) for tensor in model.inputs}
    for node in nodes:
        if id(node.operation) in frozen_operations:
            frozen_tensors.update(map(id, node.outputs))
    boundary = {
        id(tensor): tensor
        for node in nodes
        if id(node.operation) not in frozen_operations
        for tensor in node.input_tensors
        if id(tensor) in frozen_tensors
    }
    if not frozen_operations or not boundary:
        raise ValueError(
            f"Nothing comes before '{first_trained.name}' in {model.name}."
        )
    return list(boundary.values())


def _nodes_in_order(model):
    """Returns the nodes of the graph, each after those it depends on."""
    return [
        node
        for depth in sorted(model._nodes_by_depth, reverse=True)
        for node in model._nodes_by_depth[depth]
        if not node.is_input
    ]
