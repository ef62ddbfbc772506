"""Wrappers: folders that hold nothing but one folder of folders."""

from collections.abc import Collection

from thaw.data import split_names
from thaw.data.folder_tree import Folder

_MOST_BESIDE = 0.05  # share of photos beside a folder: a cover, a sample


def wrappers(folder: Folder, known: Collection[str] = ()) -> list[Folder]:
    """Returns a folder and those that it wraps, the innermost last.

    A wrapper holds one folder only, at most a few photos beside it, and that
    folder holds others.

    Args:
        folder: The outermost folder.
        known: Names of classes: a folder of such a name is not wrapped.
    """
    found = [folder]
    while True:
        children = folder.with_photos()
        if len(children) != 1 or folder.photos > _MOST_BESIDE * folder.total:
            return found
        (child,) = children
        empty = [x for x in folder.folders if not (x.total or _has_files(x))]
        inner = child.names()
        if child.name in known or empty or not inner or are_occasions(inner):
            return found
        folder = child
        found.append(folder)


def inner_names(folder: Folder, known: Collection[str] = ()) -> set[str]:
    """Returns the names of folders in a folder that can be classes.

    Args:
        folder: The folder, or one that wraps it.
        known: As in `wrappers`.
    """
    inside = wrappers(folder, known)[-1]
    names = inside.names()
    if are_occasions(names) or (inside.photos and len(names) == 1):
        return set()
    if names == {folder.name}:  # doubled, around photos without classes
        return set()
    return names


def is_part_beside(folder: Folder, names: set[str]) -> bool:
    """Returns whether a folder may be no class, beside others.

    Args:
        folder: The folder.
        names: Names of all folders there.
    """
    if split_names.split_role(folder.name):
        return True
    inner = inner_names(folder, names)
    if split_names.is_unsorted(folder.name) and not inner:
        return not all(map(split_names.is_container, names))
    return len(inner) > 1 and inner <= names


def are_occasions(names: Collection[str]) -> bool:
    """Returns whether all names are such as `session 2` or `2020`."""
    return all(map(split_names.is_occasion, names))


def _has_files(folder):
    return bool(
        folder.others
        or folder.tables
        or any(_has_files(inner) for inner in folder.folders)
    )
