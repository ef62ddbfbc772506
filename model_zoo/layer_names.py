"""Names of the layers that are put around a base."""

HEAD_PREFIX = "head_"  # begins the name of each layer of the head
OUTPUT = HEAD_PREFIX + "output"


def is_name_of_ours(layer_name: str) -> bool:
    """Returns whether a layer is not of the base, but put around it."""
    return layer_name.startswith(HEAD_PREFIX) or layer_name in (
        "image",
        "presize",
        "resize",
        "preprocess",
    )
