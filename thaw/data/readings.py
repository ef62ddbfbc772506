"""Readings: what a folder of photos can mean, each as a value."""

import dataclasses
import fnmatch
import glob
import os
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from thaw.data.folder_tree import Folder
from thaw.data.photos import Photos
from thaw.data.split_names import split_role
from thaw.errors import UserError, list_some


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """The folders of each class.

    Attributes:
        folder: The folder that they lie in.
        folders: Folders of a class, by its name.
    """

    folder: Folder
    folders: dict[str, list[Folder]]

    @property
    def names(self) -> set[str]:
        """Names of the classes that have photos."""
        return {name for name in self.folders if self.count(name)}

    @property
    def loose(self) -> int:
        """Number of photos that lie beside the class folders."""
        return self.folder.photos

    def count(self, name: str) -> int:
        """Returns the number of photos of a class."""
        return sum(folder.total for folder in self.folders[name])


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """One thing that a folder can mean.

    Attributes:
        options: Options that ask for it, by name.
        train: Folders of the classes to train on; None where a table says.
        validation: The same to validate on, or None.
        unused: Folders with photos that aren't used.
        weak: Whether names or content speak against it: it is shown, and
            never taken.
        table: Path of the table that holds the labels; None: folders do.
        loaded: (train, validation), `Photos` of the table.
        unused_tables: Paths of tables with labels that aren't used.
    """

    options: dict[str, str]
    train: Classes | Any
    validation: Classes | None = None
    unused: tuple[Folder, ...] = ()
    weak: bool = False
    table: str | None = None
    loaded: tuple[Photos, Photos | None] | None = None
    unused_tables: tuple[str, ...] = ()

    def without_validation(self) -> "Reading":
        """Returns the same, of which the validation photos are not used."""
        if self.validation is None:
            return self
        unused = (*self.unused, self.validation.folder)
        return dataclasses.replace(self, validation=None, unused=unused)

    @property
    def class_names(self) -> set[str]:
        """Names of the classes with photos to train on."""
        if self.loaded is not None:
            return set(self.loaded[0].class_names)
        return self.train.names


def all_folders(
    folder: Folder, without: Sequence[Folder] = (), weak: bool = False
) -> Reading:
    """Returns the reading that the folders in a folder are classes.

    Args:
        folder: The folder.
        without: Folders in it that are not used.
        weak: As in `Reading`.
    """
    left_out = set(without)
    kept = [inner for inner in folder.folders if inner not in left_out]
    if len(without) < len(kept):
        patterns = ["*", *(f"!{as_pattern(inner.name)}" for inner in without)]
    else:
        patterns = [as_pattern(inner.name) for inner in kept]
    return Reading(
        {"data": folder.path, "class_folders": ",".join(patterns)},
        Classes(folder, _by_name(kept)),
        unused=tuple(without),
        weak=weak,
    )


def known_folders(folder: Folder, known: Collection[str]) -> Reading:
    """Returns the reading of a folder in which there are known classes.

    Folders of other names are classes, too, except for parts of a split.

    Args:
        folder: The folder.
        known: Names of the classes of a model.
    """
    kept = [
        inner
        for inner in folder.folders
        if inner.name in known or not split_role(inner.name)
    ]
    classes = Classes(folder, _by_name(kept))
    unused = tuple(
        inner
        for inner in folder.with_photos()
        if inner.name not in classes.folders
    )
    return Reading({"data": folder.path}, classes, unused=unused)


def matching(folder: Folder, patterns: str | Sequence[str]) -> Reading:
    """Returns the reading that `class_folders` asks for.

    Args:
        folder: The folder.
        patterns: Paths of class folders from `folder` on, in a list or with
            commas between. `*`, `?` and `[...]` match within a name; what
            begins with `!` is left out. The class is the name that the last
            part with such a sign matches, or, without one, the last part.

    Raises:
        UserError: If one matches nothing, or a class lies in another one.
    """
    if not isinstance(patterns, str):
        patterns = ",".join(patterns)
    found = {}
    for pattern in unicodedata.normalize("NFC", patterns).split(","):
        matches = dict(_matches(folder, pattern.removeprefix("!").split("/")))
        if not matches and not pattern.startswith("!"):
            raise UserError(
                f"`class_folders`: there is no folder {pattern} in "
                f"{folder.path}. It holds: "
                f"{list_some([x.name for x in folder.folders]) or 'none'}"
            )
        if pattern.startswith("!"):
            found = {x: y for x, y in found.items() if x not in matches}
        else:
            found.update(matches)
    _check_apart(found, folder)
    by_class = {}
    for inner, name in found.items():
        by_class.setdefault(name, []).append(inner)
    return Reading(
        {"data": folder.path, "class_folders": patterns},
        Classes(folder, by_class),
        unused=_without(folder, found),
    )


def _without(folder, found):
    """Returns the folders with photos in which none was found."""
    names = {
        os.path.relpath(inner.path, folder.path).split(os.sep)[0]
        for inner in found
    }
    return tuple(
        inner
        for inner in folder.with_photos()
        if os.path.basename(inner.path) not in names
    )


def parts_inside(folder: Folder, names: Collection[str]) -> list[Reading]:
    """Returns readings of cat/train/, cat/test/, dog/train/, dog/test/.

    They are the split, which no option asks for, and each part alone.

    Args:
        folder: Folder of the class folders.
        names: Names of the folders inside them.
    """
    alone = {x: matching(folder, [f"*/{as_pattern(x)}"]) for x in names}
    by_role = {split_role(name): reading for name, reading in alone.items()}
    others = [by_role[x] for x in ("validation", "test") if x in by_role]
    if "train" not in by_role or not others:
        return list(alone.values())
    split = dataclasses.replace(
        by_role["train"], options={}, validation=others[0].train
    )
    return [split, *alone.values()]


def _check_apart(found, folder):
    """Refuses a class that lies in another one."""
    paths = {inner.path for inner in found}
    for path in paths:
        outer = os.path.dirname(path)
        while len(outer) > len(folder.path):
            if outer in paths:
                raise UserError(
                    f"`class_folders`: {path} lies in {outer}, which is also "
                    "a class."
                )
            outer = os.path.dirname(outer)


def _matches(folder, parts, name=None):
    """Yields each folder that a pattern matches, and its class."""
    part, *rest = parts
    for inner in folder.folders:
        if fnmatch.fnmatchcase(inner.name, part):
            matched = inner.name if glob.has_magic(part) else name
            if rest:
                yield from _matches(inner, rest, matched)
            else:
                yield inner, matched or inner.name


def _by_name(folders):
    """Returns lists of folders by name: two have one in two Unicode forms."""
    by_name = {}
    for folder in folders:
        by_name.setdefault(folder.name, []).append(folder)
    return by_name


def as_pattern(name: str) -> str:
    """Returns a pattern of `class_folders` that matches a name."""
    escaped = glob.escape(name).replace(",", "?")
    return f"?{escaped[1:]}" if escaped.startswith("!") else escaped
