import re

import pytest

from thaw.data.group_hint import describe_suggested_groups
from thaw.data.photos import Photos


def splits_of(pattern, num_groups=8, photos=4):
    """Photos by a pattern of class c, group g, photo n; every third validates.

    Each group is of one of two classes.
    """
    paths, names = [], []
    for group in range(num_groups):
        name = ("cat", "dog")[group % 2]
        for number in range(photos):
            paths.append(
                f"data/{name}/" + pattern.format(c=name, g=group, n=number)
            )
            names.append(name)
    all_photos = Photos.labelled(paths, names)
    rows = range(len(paths))
    return [
        all_photos.take([row for row in rows if (row % 3 == 0) == validates])
        for validates in (False, True)
    ]


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        ("patient{g:03d}_slice{n}.png", "patient000_*"),
        ("person{g}_bacteria_{n}.jpeg", "person0_bacteria_*"),
        ("{g:08d}_{n:03d}.png", "00000000_*"),
        ("20240131_12150{g}_{n:03d}.jpg", "20240131_121500_*"),
        ("p{g}-{n}.JPG", "p0-*"),
        ("P{g}.{n}.jpg", "P0.*"),
        ("P{g} - {n}.jpg", "P0 - *"),
    ],
)
def test_groups_in_names_are_suggested(pattern, example):
    train, validation = splits_of(pattern)
    line = describe_suggested_groups(train, validation)
    assert line.startswith(f"Names suggest 8 groups, e.g. {example}, 8 of them")
    expression = re.search("`group_regex='(.*)'`", line)[1]
    found = {re.search(expression, path)[1] for path in train.paths}
    assert len(found) == 8


@pytest.mark.parametrize(
    "pattern",
    [
        "{c}.{g}{n}.jpg",
        "IMG_{g}{n:03d}.jpg",
        "{c} ({g}{n}).jpg",
        "cell{g}{n:03d}.png",
        "{g}{n:04d}.png",
        "great_{c}_{g}{n}.jpg",
        "IMG_2024013{g}_{n:06d}.jpg",  # a day each
        "IMG-2024013{g}-WA{n:04d}.jpg",
        "{g}{n}_0_1_20170116184024.jpg",  # no number of a series
        "{n}_100.jpg",  # the same in each folder
        "img{g}{n}_1.jpg",  # groups of one
        "photo_{g}_a.jpg",
    ],
)
def test_plain_numbering_is_no_group(pattern):
    assert describe_suggested_groups(*splits_of(pattern)) is None


def test_numbers_of_classes_are_no_groups():
    paths = [f"n{c:08d}/n{c:08d}_{n}.JPEG" for c in range(9) for n in range(20)]
    photos = Photos.labelled(paths, [path[:9] for path in paths])
    splits = photos.take(range(0, 180, 2)), photos.take(range(1, 180, 2))
    assert describe_suggested_groups(*splits) is None


def test_names_may_be_of_several_kinds():
    """As in the chest X-rays of Kermany et al. 2018."""
    paths = [f"N/IM-{n:04d}-0001.jpeg" for n in range(20)]
    paths += [f"P/person{n // 3}_virus_{n}.jpeg" for n in range(60)]
    photos = Photos.labelled(paths, [path[0] for path in paths])
    splits = photos.take(range(0, 80, 2)), photos.take(range(1, 80, 2))
    line = describe_suggested_groups(*splits)
    assert line.startswith("Names suggest 40 groups, e.g. person0_virus_*, 20 ")


def test_groups_that_are_in_one_split_are_not_mentioned():
    train, validation = splits_of("p{g}_{n}.jpg")
    photos = train + validation
    first = [
        row for row, x in enumerate(photos.paths) if "p0" in x or "p1" in x
    ]
    others = sorted(set(range(len(photos))) - set(first))
    assert (
        describe_suggested_groups(photos.take(others), photos.take(first))
        is None
    )


def test_few_groups_are_not_mentioned():
    assert describe_suggested_groups(*splits_of("p{g}_{n}.jpg", 4)) is None
