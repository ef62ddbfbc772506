"""SHA-256 of the weights of a model and of its layers."""

import hashlib
import json

import keras


def layers_with_weights(
    model: keras.Model, prefix: str = ""
) -> dict[str, keras.Layer]:
    """Returns the innermost layers that have weights, by name, in order.

    Those inside a nested model are called `nested_model/layer`.
    """
    found = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found |= layers_with_weights(layer, f"{prefix}{layer.name}/")
        elif layer.weights:
            found[prefix + layer.name] = layer
    return found


def hash_layers(model: keras.Model) -> dict[str, str]:
    """Returns the SHA-256 of all weights of each layer that has any.

    Moving statistics count; the state of random generators does not.
    """
    hashes = {}
    for name, layer in layers_with_weights(model).items():
        digest = hashlib.sha256()
        for variable in layer.weights:
            if hasattr(layer, "interpolated_position_embeddings") and (
                variable is layer.position_embeddings
            ):
                continue  # DINOv2 has it to save the others, and only then
            digest.update(keras.ops.convert_to_numpy(variable).tobytes())
        hashes[name] = digest.hexdigest()
    return hashes


def weights_sha256(model: keras.Model) -> str:
    """Returns the SHA-256 of all weights of `model`, in any process."""
    hashes = json.dumps(hash_layers(model), sort_keys=True)
    return hashlib.sha256(hashes.encode()).hexdigest()
