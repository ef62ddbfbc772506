"""Regular expressions that extract the class or the group of a photo."""

import re
from collections.abc import Sequence

from thaw.errors import UserError, list_some

_SHOWN = 3


def compiled(
    option: str, expression: str, *, what: str, example: str
) -> re.Pattern:
    """Returns a regular expression whose first group is looked for.

    Args:
        option: Name of the option that gave it, for the message.
        expression: Regular expression.
        what: What is looked for, e.g. `class`.
        example: An expression that is right.

    Raises:
        UserError: If it is invalid, or has no group.
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
    return pattern


def first_groups(
    option: str,
    pattern: re.Pattern,
    texts: Sequence[str],
    *,
    what: str,
    where: str,
) -> list[str]:
    """Returns what the first group of a regular expression finds in texts.

    Args:
        option: Name of the option that gave it, for the message.
        pattern: Of `compiled`; it may match anywhere.
        texts: Names or paths of photos.
        what: What is looked for, e.g. `class`.
        where: What the texts are, e.g. `names`.

    Raises:
        UserError: If it finds nothing in a text.
    """
    matches = [pattern.search(text) for text in texts]
    groups = [match[1] if match else "" for match in matches]
    without = [x for x, group in zip(texts, groups, strict=True) if not group]
    if without:
        raise UserError(
            f"`{option}`: {pattern.pattern!r} finds no {what} in "
            f"{len(without):,} of {len(texts):,} {where}, e.g. "
            f"{list_some(without, _SHOWN)}"
        )
    return groups
