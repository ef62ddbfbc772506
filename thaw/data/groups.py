"""Groups of photos that stay together: of one patient, camera or burst."""

import dataclasses
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thaw.data.expressions import compiled, first_groups
from thaw.data.photos import Photos


def group_by_path(
    photos: Photos, folder: str | Path, group_regex: str
) -> Photos:
    """Returns the photos with groups that are named in their paths.

    Args:
        photos: Photos.
        folder: Folder that the paths are taken from.
        group_regex: Regular expression; its first group, found anywhere in
            the path of a photo from `folder` on, with `/`, is the group.

    Raises:
        UserError: If it is invalid, or does not match every path.
    """
    start = os.path.join(folder, "")
    paths = [
        path[len(start) :]
        if path.startswith(start)  # saves most of the time
        else os.path.relpath(path, folder)
        for path in photos.paths
    ]
    pattern = compiled(
        "group_regex", group_regex, what="group", example=r"'(patient\d+)_'"
    )
    found = first_groups(
        "group_regex",
        pattern,
        [path.replace(os.sep, "/") for path in paths],
        what="group",
        where="paths",
    )
    return dataclasses.replace(photos, groups=tuple(found))


def group_all(splits: Sequence[Photos]) -> list[Photos]:
    """Returns the same; where only some have groups, the others get some.

    A photo without a group is a group of its own, named by its path.
    """
    if not any(photos.groups for photos in splits):
        return list(splits)
    return [
        dataclasses.replace(photos, groups=photos.groups or photos.paths)
        for photos in splits
    ]


def group_numbers(photos: Photos) -> np.ndarray | None:
    """Returns groups as ints from 0 in order (N,); None where none are given.

    Args:
        photos: Photos.
    """
    return number_groups(photos.groups) if photos.groups else None


def number_groups(names: Sequence[str]) -> np.ndarray:
    """Returns names of groups as ints from 0 in order, (N,)."""
    numbers = {}
    return np.array([numbers.setdefault(x, len(numbers)) for x in names])


def join_groups(splits: Sequence[Photos]) -> list[Photos]:
    """Returns the photos; groups that share a file, byte for byte, are one.

    It has the name of the first of them.

    Args:
        splits: Inspected photos, with or without groups.
    """
    photos = sum(splits[1:], splits[0])
    numbers = group_numbers(photos)
    if numbers is None:
        return list(splits)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    digests = np.array([x.digest for x in photos.inspections])
    _, files = np.unique(digests, return_inverse=True)
    num_groups = numbers.max() + 1
    size = num_groups + files.max() + 1
    # Groups and files are the nodes, photos the edges.
    edges = (np.ones(len(photos)), (numbers, num_groups + files))
    graph = coo_array(edges, shape=(size, size))
    _, joined = connected_components(graph, directed=False)
    names = {}
    for number, name in zip(numbers, photos.groups, strict=True):
        names.setdefault(joined[number], name)
    return [
        dataclasses.replace(
            some,
            groups=tuple(names[joined[number]] for number in of_split),
        )
        for some, of_split in zip(
            splits,
            np.split(numbers, np.cumsum([len(x) for x in splits])[:-1]),
            strict=True,
        )
    ]


def rows_of_shared_groups(train: Photos, validation: Photos) -> np.ndarray:
    """Returns rows of the validation photos whose group also trains, ints."""
    known = set(train.groups)
    is_shared = [group in known for group in validation.groups]
    return np.flatnonzero(is_shared)


def group_folds(
    labels: np.ndarray, groups: np.ndarray, num_folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (fitted, held out) rows of folds that divide no group.

    Stratified as far as groups allow; a class may be missing in a fold. There
    are no folds of one group only, or of one photo of each class.

    Args:
        labels: int (N,).
        groups: Of `group_numbers`.
        num_folds: At most so many; not more than there are groups, or photos
            of the largest class.
        seed: Seed of the order in which groups are dealt out.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    num_folds = min(
        num_folds, len(np.unique(groups)), int(np.bincount(labels).max())
    )
    if num_folds < 2:
        return []
    folds = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Of classes with fewer photos than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        return list(folds.split(labels, labels, groups))
