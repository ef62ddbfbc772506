from zlib import crc32

import numpy as np
import pytest

from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.data.quality import KINDS, QualityIssue, find_issues
from thaw.data.quality_report import (
    describe_bad,
    describe_balance,
    describe_counts,
    describe_issues,
)

USUAL = Inspection(format="JPEG", width=400, height=300)


def make_photos(*photos):
    """(path, class, what differs from a usual inspection) of each."""
    names = ("cat", "dog")
    paths = tuple(path for path, _, _ in photos)
    return Photos(
        paths,
        np.array([names.index(x) for _, x, _ in photos], "int32"),
        names,
        inspections=tuple(
            USUAL._replace(
                digest=path, perceptual_hash=crc32(path.encode()) << 90
            )._replace(**facts)
            for path, _, facts in photos
        ),
    )


GOOD = [(f"p/{n}.jpg", ("cat", "dog")[n % 2], {}) for n in range(8)]


def test_good_photos_give_no_issues():
    assert find_issues([make_photos(*GOOD[:4])]) == []


@pytest.mark.parametrize(
    "path, facts, expected",
    [
        ("p/x.png", {}, ("format differs from the file extension", "JPEG")),
        ("p/x.JPEG", {}, None),
        ("p/x.jpg", {"width": 31}, ("under 32 pixels", "31 x 300")),
        ("p/x.jpg", {"width": 3001}, ("over 10 times", "3001 x 300")),
        ("p/x.jpg", {"height": 40}, None),
        ("p/x.gif", {"format": "GIF", "animated": True}, ("animated", "GIF")),
        ("p/x.jpg", {"spread": 2.9, "grey": True}, ("all of one colour", "")),
        ("p/x.jpg", {"grey": True}, ("grey", "400 x 300")),
    ],
)
def test_what_is_odd_about_one_photo(path, facts, expected):
    facts = {"perceptual_hash": None} | facts
    issues = find_issues([make_photos(*GOOD, (path, "cat", facts))])
    if expected is None:
        assert issues == []
        return
    (issue,) = issues
    assert issue.kind.startswith(expected[0]) and issue.kind in KINDS
    assert (issue.path, issue.detail, issue.other) == (path, expected[1], None)


def test_what_most_are_is_not_odd():
    """MNIST: all small, all grey."""
    facts = {"grey": True, "width": 28, "height": 28}
    photos = [(path, label, facts) for path, label, _ in GOOD]
    assert find_issues([make_photos(*photos)]) == []


def test_pairs_the_worst_first_and_each_photo_in_one():
    train = make_photos(
        ("a.jpg", "cat", {"digest": "1", "perceptual_hash": 2**60}),
        ("b.jpg", "dog", {"digest": "2", "perceptual_hash": None}),
        ("c.jpg", "dog", {"digest": "2", "perceptual_hash": None}),
        ("d.jpg", "dog", {"digest": "3", "perceptual_hash": 2**60 + 1}),
    )
    validation = make_photos(
        ("e.jpg", "cat", {"digest": "1", "perceptual_hash": 2**60}),
        ("f.jpg", "cat", {"digest": "4"}),
        ("g.jpg", "dog", {"digest": "2", "perceptual_hash": None}),
        ("h.jpg", "cat", {"digest": "2", "perceptual_hash": None}),
    )
    moved = "duplicates of training photos (moved to the training set)"
    assert list(map(tuple, find_issues([train, validation]))) == [
        ("duplicates with two labels", "h.jpg", "cat, dog", "b.jpg"),
        ("look the same, two labels", "d.jpg", "dog, cat", "a.jpg"),
        (moved, "e.jpg", "", "a.jpg"),
        (moved, "g.jpg", "", "b.jpg"),
        ("duplicates in one class", "c.jpg", "", "b.jpg"),
    ]


def test_the_table_counts_kinds_and_shows_names_from_the_common_folder():
    bad = [("/p/cat/a.jpg", "damaged (cut)"), ("/p/dog/b\n.jpg", "damaged")]
    issues = [
        QualityIssue("duplicates", "/p/cat/c.jpg", "", "/p/cat/d.jpg"),
        QualityIssue("grey", "/p/dog/e.jpg", "9 x 9"),
    ]
    paths = ["/p/cat/a.jpg", "/p/dog/b.jpg"]
    assert describe_issues(bad, issues, paths).splitlines() == [
        "photos  what                     e.g., in /p",
        "------  -----------------------  -----------------------",
        "     2  cannot be used: damaged  cat/a.jpg",
        "     1  duplicates               cat/c.jpg and cat/d.jpg",
        "     1  grey                     dog/e.jpg (9 x 9)",
    ]
    assert describe_issues([], [], paths) == ""


def test_bad_photos_are_listed_ten_at_most():
    photos = [(f"{n}.jpg", "cat", {"reason": "empty"}) for n in range(12)]
    bad = make_photos(*GOOD, *photos).bad()
    assert bad[11] == ("11.jpg", "empty")
    text = describe_bad(bad, 20)
    assert text.startswith("12 of 20 photos cannot be used:\n  0.jpg: empty\n")
    assert text.endswith("  9.jpg: empty\n  and 2 more")


def test_counts_and_uneven_classes():
    cats = [(f"{n}.jpg", "cat", {}) for n in range(6)]
    even = make_photos(*GOOD)
    uneven = make_photos(*cats, ("d.jpg", "dog", {}))
    assert describe_balance(even) is None
    assert describe_balance(uneven).startswith(
        "Classes are uneven: 6 cat, 1 dog."
    )
    assert describe_counts([even, uneven]) == (
        "Training photos: 8 (4 cat, 4 dog)\nValidation photos: 7 (6 cat, 1 dog)"
    )
    lacking = even.with_class_names(("cat", "dog", "owl"))
    assert describe_counts([lacking]) == (
        "Training photos: 8 (4 cat, 4 dog)\n  none of owl"
    )
