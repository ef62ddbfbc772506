"""The same photo more than once: across the split, and across labels."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from errors import UserError
from input_pipeline.contents import Contents
from input_pipeline.photo_index import PhotoIndex

_SHOWN = 3
_NEAR = 3  # of 64 bits

Side = tuple[PhotoIndex, Contents]


def separate(train: Side, validation: Side) -> tuple[Side, Side, str]:
    """Returns both sides without a photo that is in both, and what was done.

    A model is not validated on what it was trained with, so the copies on the
    validation side train, too. Photos are copies if their files are the same,
    byte for byte; those that only look the same are named, and stay.

    Args:
        train, validation: Photos and their contents, of the same classes.

    Raises:
        UserError: If nothing is left to validate on.
    """
    photos, contents = validation
    known = set(train[1].digests)
    shared = np.array([digest in known for digest in contents.digests], bool)
    rows, left = np.flatnonzero(shared), np.flatnonzero(~shared)
    said = []
    if len(rows):
        if not len(left):
            raise UserError(
                "All photos to validate on are among those to train on, too. "
                "Give others."
            )
        said.append(
            f"Copies of training photos on the validation side: {len(rows)}, "
            f"e.g. {photos.paths[rows[0]]}. They train, and are not validated "
            "on."
        )
        train = _join(train, (photos.take(rows), contents.take(rows)))
        validation = (photos.take(left), contents.take(left))
    said += _conflicts(train, validation)
    said += _look_alikes(train, validation)
    return train, validation, "\n".join(said)


def _join(some, others):
    photos = dataclasses.replace(
        some[0],
        paths=some[0].paths + others[0].paths,
        labels=np.concatenate([some[0].labels, others[0].labels]),
    )
    contents = Contents(
        some[1].paths + others[1].paths,
        np.concatenate([some[1].stamps, others[1].stamps]),
        some[1].digests + others[1].digests,
        some[1].look_hashes + others[1].look_hashes,
        np.concatenate([some[1].plain, others[1].plain]),
        some[1].reasons + others[1].reasons,
    )
    return photos, contents


def _conflicts(*sides):
    """Returns a line on copies with different labels, where there are any."""
    first, conflicts = {}, []  # by digest: (path, label)
    for photos, contents in sides:
        for path, label, digest in zip(
            photos.paths, photos.labels, contents.digests, strict=True
        ):
            other, its_label = first.setdefault(digest, (path, label))
            if its_label != label:
                names = photos.class_names
                conflicts.append(
                    f"  {other} ({names[its_label]}), {path} ({names[label]})"
                )
    if not conflicts:
        return []
    more = len(conflicts) - _SHOWN
    return [
        f"Copies with two labels, one of them wrong: {len(conflicts)}",
        *conflicts[:_SHOWN],
        *([f"  and {more} more"] if more > 0 else []),
    ]


def _look_alikes(train, validation):
    """Returns lines on photos that look the same, across the split."""
    pairs = near_pairs(train[1].look_hashes, validation[1].look_hashes)
    if not pairs:
        return []
    more = len(pairs) - _SHOWN
    return [
        "Validation photos that look like training photos, and stay: "
        f"{len(pairs)}",
        *(
            f"  {validation[0].paths[j]} like {train[0].paths[i]}"
            for i, j in pairs[:_SHOWN]
        ),
        *([f"  and {more} more"] if more > 0 else []),
    ]


def near_pairs(
    some: Sequence[int | None], others: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Returns which of `some` hashes differs least from each of `others`.

    Args:
        some, others: Of `pixels.look_hash`.

    Returns:
        (place in `some`, place in `others`) of pairs that differ in at most
        `_NEAR` bits, one for each of `others` that has any.
    """
    # Of four quarters, at least one is equal where three bits differ.
    places = {}
    for i, number in enumerate(some):
        for quarter in () if number is None else _quarters(number):
            places.setdefault(quarter, []).append(i)
    pairs = []
    for j, number in enumerate(others):
        if number is None:
            continue
        near = {i for x in _quarters(number) for i in places.get(x, ())}
        differ = [((some[i] ^ number).bit_count(), i) for i in near]
        if differ and min(differ)[0] <= _NEAR:
            pairs.append((min(differ)[1], j))
    return pairs


def _quarters(number):
    return [(q, number >> 16 * q & 0xFFFF) for q in range(4)]
