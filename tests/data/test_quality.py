from zlib import crc32

import numpy as np
import pytest

from thaw.data.inspect_worker import Found
from thaw.data.inspection_cache import Contents
from thaw.data.photos import PhotoIndex
from thaw.data.quality import KINDS, Doubt, find_doubts
from thaw.data.quality_report import (
    bad_photos,
    describe_bad,
    describe_balance,
    describe_counts,
    summary_table,
)

USUAL = Found(format="JPEG", width=400, height=300)


def side(*photos):
    """(path, class, what differs from a usual look) of each."""
    names = ("cat", "dog")
    paths = tuple(path for path, _, _ in photos)
    index = PhotoIndex(
        paths, np.array([names.index(x) for _, x, _ in photos]), names
    )
    looks = tuple(
        USUAL._replace(
            digest=path, look_hash=crc32(path.encode()) << 90
        )._replace(**facts)
        for path, _, facts in photos
    )
    return index, Contents(paths, np.zeros((len(paths), 3)), looks)


GOOD = [(f"p/{n}.jpg", ("cat", "dog")[n % 2], {}) for n in range(8)]


def test_good_photos_give_no_doubts():
    assert find_doubts([side(*GOOD[:4])]) == []


@pytest.mark.parametrize(
    "path, facts, expected",
    [
        ("p/x.png", {}, ("another format than the name says", "JPEG")),
        ("p/x.JPEG", {}, None),
        ("p/x.jpg", {"width": 31}, ("under 32 pixels", "31 x 300")),
        ("p/x.jpg", {"width": 3001}, ("over 10 times", "3001 x 300")),
        ("p/x.jpg", {"height": 40}, None),
        ("p/x.gif", {"format": "GIF", "animated": True}, ("animated", "GIF")),
        ("p/x.jpg", {"blank": True, "grey": True}, ("all of one colour", "")),
        ("p/x.jpg", {"grey": True}, ("grey", "400 x 300")),
    ],
)
def test_what_is_odd_about_one_photo(path, facts, expected):
    facts = {"look_hash": None} | facts
    doubts = find_doubts([side(*GOOD, (path, "cat", facts))])
    if expected is None:
        assert doubts == []
        return
    (doubt,) = doubts
    assert doubt.kind.startswith(expected[0]) and doubt.kind in KINDS
    assert (doubt.path, doubt.detail, doubt.other) == (path, expected[1], None)


def test_what_most_are_is_not_odd():
    """MNIST: all small, all grey."""
    facts = {"grey": True, "width": 28, "height": 28}
    photos = [(path, label, facts) for path, label, _ in GOOD]
    assert find_doubts([side(*photos)]) == []


def test_pairs_the_worst_first_and_each_photo_in_one():
    train = side(
        ("a.jpg", "cat", {"digest": "1", "look_hash": 2**60}),
        ("b.jpg", "dog", {"digest": "2", "look_hash": None}),
        ("c.jpg", "dog", {"digest": "2", "look_hash": None}),
        ("d.jpg", "dog", {"digest": "3", "look_hash": 2**60 + 1}),
    )
    validation = side(
        ("e.jpg", "cat", {"digest": "1", "look_hash": 2**60}),
        ("f.jpg", "cat", {"digest": "4"}),
        ("g.jpg", "dog", {"digest": "2", "look_hash": None}),
        ("h.jpg", "cat", {"digest": "2", "look_hash": None}),
    )
    assert find_doubts([train, validation]) == [
        Doubt("copies with two labels", "h.jpg", "cat, dog", "b.jpg"),
        Doubt("look the same, two labels", "d.jpg", "dog, cat", "a.jpg"),
        Doubt("copies of training photos; they train, too", "e.jpg", "",
              "a.jpg"),
        Doubt("copies of training photos; they train, too", "g.jpg", "",
              "b.jpg"),
        Doubt("copies in one class", "c.jpg", "", "b.jpg"),
    ]  # fmt: skip


def test_the_table_counts_kinds_and_shows_names_from_the_common_folder():
    bad = [("/p/cat/a.jpg", "damaged (cut)"), ("/p/dog/b\n.jpg", "damaged")]
    doubts = [
        Doubt("copies in one class", "/p/cat/c.jpg", "", "/p/cat/d.jpg"),
        Doubt("grey", "/p/dog/e.jpg", "9 x 9"),
    ]
    paths = ["/p/cat/a.jpg", "/p/dog/b.jpg"]
    assert summary_table(bad, doubts, paths) == [
        ("photos", "what", "e.g., in /p"),
        ("     2", "cannot be used: damaged", "cat/a.jpg"),
        ("     1", "copies in one class", "cat/c.jpg and cat/d.jpg"),
        ("     1", "grey", "dog/e.jpg (9 x 9)"),
    ]


def test_bad_photos_are_listed_ten_at_most():
    photos = [(f"{n}.jpg", "cat", {"reason": "empty"}) for n in range(12)]
    _, checked = side(*GOOD, *photos)
    assert bad_photos(checked)[11] == ("11.jpg", "empty")
    text = describe_bad(checked)
    assert text.startswith("12 of 20 photos cannot be used:\n  0.jpg: empty\n")
    assert text.endswith("  9.jpg: empty\n  and 2 more")


def test_counts_and_uneven_classes():
    cats = [(f"{n}.jpg", "cat", {}) for n in range(6)]
    even, _ = side(*GOOD)
    uneven, _ = side(*cats, ("d.jpg", "dog", {}))
    assert describe_balance(even) is None
    assert describe_balance(uneven).startswith(
        "Classes are uneven: 6 cat, 1 dog."
    )
    assert describe_counts([even, uneven]) == (
        "Training photos: 8 (4 cat, 4 dog)\nValidation photos: 7 (6 cat, 1 dog)"
    )
