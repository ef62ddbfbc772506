"""Regular expressions that find the class or the group of a photo."""

import re
from collections.abc import Sequence

from thaw.errors import UserError, list_some

_SHOWN = 3


def first_groups(
    option: str,
    expression: str,
    texts: Sequence[str],
    *,
    what: str,
    where: str,
    example: str,
) -> list[str]:
    """Returns what the first group of a regular expression finds in texts.

    Args:
        option: Name of the option that gave the expression, for the message.
        expression: Regular expression; it may match anywhere.
        texts: Names or paths of photos.
        what: What is looked for, e.g. `class`.
        where: What the texts are, e.g. `names`.
        example: An expression that is right.

    Raises:
        UserError: If it is invalid, has no group, or finds nothing in a text.
    """
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise UserError(
            f"`{option}`: {expression!r} is not a regular expression: {error}."
        ) from error
    if not pattern.groups:
        raise UserError(
            f"`{option}`: {expression!r} has no group. Expected the {what} in "
            f"parentheses, e.g. {example}"
        )
    matches = [pattern.search(text) for text in texts]
    groups = [match and match[1] for match in matches]
    without = [x for x, group in zip(texts, groups, strict=True) if not group]
    if without:
        raise UserError(
            f"`{option}`: {expression!r} finds no {what} in {len(without):,} "
            f"of {len(texts):,} {where}, e.g. {list_some(without, _SHOWN)}"
        )
    return groups
