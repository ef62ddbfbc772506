"""The same photo more than once: across the split, and across labels."""

import dataclasses

import numpy as np

from errors import UserError
from input_pipeline.contents import Contents
from input_pipeline.index import PhotoIndex

_SHOWN = 3

Side = tuple[PhotoIndex, Contents]


def separate(train: Side, validation: Side) -> tuple[Side, Side, str]:
    """Returns both sides without a photo that is in both, and what was done.

    A model is not validated on what it was trained with, so the copies on the
    validation side train, too. Photos are the same if their files are, byte
    for byte.

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
