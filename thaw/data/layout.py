"""Layout of a folder: every plausible reading of its tree."""

import dataclasses
from collections import Counter
from collections.abc import Collection

from thaw.data import split_names
from thaw.data.folder_tree import Folder
from thaw.data.readings import (
    Reading,
    all_folders,
    as_pattern,
    known_folders,
    matching,
    parts_inside,
)
from thaw.data.split_names import split_role
from thaw.data.wrappers import (
    are_occasions,
    inner_names,
    is_part_beside,
    wrappers,
)

_MOST_PARTS = 20  # folders that are tried on their own
_USED_ROLES = ("validation", "test")  # the first that is there validates


def find_readings(
    folder: Folder, known: Collection[str] = frozenset()
) -> list[Reading]:
    """Returns the plausible readings of a folder; [] if it has no labels.

    Args:
        folder: Tree of the folder.
        known: Names of the classes of a model, of which the photos may have
            any; empty: not known.
    """
    folder = wrappers(folder, known)[-1]
    children = folder.with_photos()
    if folder.names() & set(known):
        return [known_folders(folder, known)]
    for rule in (_split, _parts_beside_classes, _same_names, _no_labels):
        readings = rule(folder, children)
        if readings:
            break
    else:
        readings = [all_folders(folder)] if children else []
    if not known:
        return [x for x in readings if len(x.class_names) > 1] or readings
    fitting = [x for x in readings if x.class_names <= set(known)]
    return fitting or [*_known_inside(children, known), *readings]


def _known_inside(children, known):
    """Returns readings of folders that hold known classes, each alone."""
    return [
        reading
        for child in children[:_MOST_PARTS]
        if inner_names(child, known) & set(known)
        for reading in _alone(child, children)
    ]


def _split(folder, children):
    """Returns readings where there is a folder to train on, by its name."""
    trains = [
        child
        for child in children
        if split_role(child.name) == "train" and inner_names(child)
    ]
    if not trains:
        return _guessed_split(folder, children)
    readings = [
        reading
        for train in trains[:_MOST_PARTS]
        for reading in _with_validation(train, children)
    ]
    if len(trains) > 1:
        return [*readings, all_folders(folder)]
    (train,) = trains
    others = [child for child in children if child is not train]
    names = inner_names(train)
    inner = {other: inner_names(other, names) for other in others}
    by_name = all(split_role(other.name) for other in others)
    same = any(
        split_names.split_words(other.name) and inner[other] & names
        for other in others
    )
    if same or (by_name and not any(inner.values())):
        return readings
    return [*readings, all_folders(folder)]


def _guessed_split(folder, children):
    """Returns readings of names that hold more: seg_train and seg_test."""
    by_word = {x: split_names.split_words(x.name) for x in children}
    trains = [x for x in children if "train" in by_word[x] and inner_names(x)]
    if not trains or set().union(*by_word.values()) == {"train"}:
        return []
    readings = [
        reading
        for train in trains[:_MOST_PARTS]
        for reading in _with_validation(train, children)
    ]
    return [*readings, all_folders(folder)]


def _with_validation(train, children):
    """Returns readings that train on one folder, and validate on another."""
    others = [child for child in children if child is not train]
    names = inner_names(train)
    labelled = [x for x in others if inner_names(x, names)]
    for role in _USED_ROLES:
        chosen = [x for x in labelled if split_role(x.name) == role]
        if not chosen and not split_role(train.name):
            chosen = [
                x for x in labelled if role in split_names.split_words(x.name)
            ]
        if chosen:
            break
    return [
        _join(reading, validation, others)
        for validation in chosen or [None]
        for reading in _of_folder(train)
    ]


def _alone(train, children):
    """Returns readings that train on one folder, and use no other."""
    others = [child for child in children if child is not train]
    return [_join(x, None, others) for x in _of_folder(train) if not x.weak]


def _of_folder(folder):
    """Returns its readings; to ask for the only one takes no more options."""
    readings = find_readings(folder)
    if len(readings) > 1 or readings[0].weak:
        return readings
    options = {"data": folder.path}
    return [dataclasses.replace(readings[0], options=options)]


def _join(reading, validation, others):
    """Returns a reading of training photos, one folder beside it validating.

    Args:
        reading: Reading of the training photos.
        validation: Folder of the validation photos, or None.
        others: All folders beside that of the training photos.
    """
    unused = reading.unused + tuple(x for x in others if x is not validation)
    reading = dataclasses.replace(reading, unused=unused)
    return reading if validation is None else _validated_on(reading, validation)


def _parts_beside_classes(folder, children):
    """Returns readings of e.g. cat/, dog/ and test/."""
    names = folder.names()
    parts = [x for x in children if is_part_beside(x, names)]
    if len(children) - len(parts) > 1:
        # Photos to train on would not lie beside classes without labels.
        parts = [
            x for x in parts if split_role(x.name) != "train" or inner_names(x)
        ]
    rest = [child for child in children if child not in parts]
    names = {child.name for child in rest}
    if not parts or len(children) == 1:
        return []
    without = [all_folders(folder, without=parts)] if len(names) > 1 else []
    validated, alone = [], []
    if len(rest) == 1 and inner_names(rest[0]):  # labeled/ and unlabeled/
        alone = _alone(rest[0], children)
    for part in parts:
        inner = inner_names(part, names)
        if without and split_role(part.name) and inner & names:
            validated.append(_validated_on(without[0], part))
        elif inner:
            alone += _alone(part, children)
    readings = [*validated, *without, *alone]
    return [*readings, all_folders(folder, weak=not readings)]


def _validated_on(reading, part):
    """Returns a reading of class folders, validated on a folder beside them."""
    validation = find_readings(part, reading.class_names)
    return dataclasses.replace(
        reading,
        options={**reading.options, "validation_data": part.path},
        validation=validation[0].train,
        unused=tuple(other for other in reading.unused if other is not part),
        weak=reading.weak or len(validation) > 1,
    )


def _no_labels(folder, children):
    """Returns readings of images/ and masks/, fold_1/ and fold_2/, ..."""
    names = [child.name for child in children]
    are_parts = all(map(split_names.is_part, names))
    if len(names) < 2 or not (
        split_names.are_no_classes(names)
        or (are_parts and not any(map(inner_names, children)))
    ):
        return []
    alone = [
        reading
        for child in children
        if inner_names(child)
        for reading in _alone(child, children)
    ]
    return [*alone, all_folders(folder, weak=True)]


def _same_names(folder, children):
    """Returns readings where folders hold folders of the same names."""
    inner = {child: inner_names(child) for child in children}
    counts = Counter(name for names in inner.values() for name in names)
    shared = sorted(name for name, count in counts.items() if count > 1)
    halves = {split_role(name) for name in counts} - {"other", None}
    if not ("train" in halves and len(halves) > 1) and (
        len(shared) < 2
        or are_occasions(shared)
        or split_names.are_numbered_inside(folder.names(), shared)
    ):
        return []
    nested = [child for child, names in inner.items() if names]
    weak = split_names.are_no_classes(folder.names())
    readings = [all_folders(folder, weak=weak)]
    readings += _inside(folder, inner, shared)
    if len(nested) <= _MOST_PARTS:
        for child in nested:
            readings += _alone(child, children)
    return readings


def _inside(folder, inner, shared):
    """Returns readings in which the folders in class folders count, too."""
    nested = [child for child, names in inner.items() if names]
    if any(child.names() != inner[child] for child in nested):
        return []  # there are wrappers: no pattern matches all of them
    if all(split_role(x) or split_names.is_container(x) for x in shared):
        return parts_inside(folder, shared)
    merged = matching(folder, ["*/*"])
    if not all(split_names.is_part(child.name) for child in nested):
        return [merged]
    last = nested[-1]
    others = matching(folder, ["*/*", f"!{as_pattern(last.name)}/*"])
    return [merged, _validated_on(others, last)]
