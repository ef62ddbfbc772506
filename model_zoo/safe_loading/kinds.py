"""Module and class that a file names, and how a message shows them."""


def kind_of(value: dict) -> tuple[str | None, ...]:
    """Returns module and class of an object, as they can be looked up."""
    return tuple(
        x if isinstance(x, str | None) else repr(x)
        for x in (value.get("module"), value.get("class_name"))
    )


def shown(what: object) -> str:
    """Returns what a file says, cut, in characters that can be printed."""
    if isinstance(what, tuple):
        what = ".".join(str(part) for part in what if part is not None)
    text = ascii(what)
    return text if len(text) < 100 else f"{text[:100]}..."
