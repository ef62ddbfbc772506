"""Flagfiles, read against the options of a command."""

import importlib.resources
import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from thaw.atomic import open_text
from thaw.errors import UserError
from thaw.option import Option
from thaw.options import parse_text, read_setting
from thaw.runs.format1 import rename_options

_MOST_BYTES = 1 << 20
_RECIPES = "recipes"  # folder and package
_LINE = re.compile(r"--?[a-zA-Z][\w-]*(=|$)")


def read(path: str, known: Mapping[str, Option]) -> dict[str, Any]:
    """Returns the values that a flagfile gives, by name.

    Anyone may have written it: it holds options of the command and nothing
    else, one on a line; `#` and `//` begin a comment.

    Args:
        path: Path of the file; where there is none of that name,
            `recipes/NAME.flags` is the recipe that is installed with Thaw.
        known: Options of the command, by name.

    Raises:
        UserError: If it can't be read, or holds anything else.
    """
    path = _find(os.path.expanduser(path.strip()))
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            raise UserError(f"{path} is not a flagfile, or too large for one.")
        with open_text(path) as file:
            lines = file.read().split("\n")
    except OSError as error:
        raise UserError(
            f"Can't read the flagfile {path}: {error.strerror}."
        ) from error
    texts, places = {}, {}
    for number, line in enumerate(lines, 1):
        line, place = line.strip(), f"{path}, line {number}"
        if not line or line.startswith(("#", "//")):
            continue
        if not _LINE.match(line):
            raise UserError(
                f"{place}: expected --name=value. Received: {line[:80]!r}"
            )
        name, text = read_setting(line, known)
        if name == "flagfile":
            raise UserError(
                f"{place}: a flagfile can't include another. Give both: "
                "--flagfile=A --flagfile=B"
            )
        texts[name], places[name] = text, place
    values = {}
    for name, text in rename_options(texts).items():
        try:
            values[name] = parse_text(name, text, known)
        except UserError as error:
            place = places.get(name, path)
            raise UserError(f"{place}: {error}") from error
    return values


def _find(path):
    """Returns the path of a flagfile, also of one that came with Thaw."""
    folder, name = os.path.split(path)
    if folder == _RECIPES and not os.path.lexists(path):
        recipe = importlib.resources.files(_RECIPES) / name
        if recipe.is_file():
            return str(recipe)
    return path
