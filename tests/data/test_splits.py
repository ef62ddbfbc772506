import numpy as np
import pytest

from thaw.data.inspect_worker import Found
from thaw.data.inspection_cache import Contents
from thaw.data.photos import PhotoIndex
from thaw.data.splits import make_sides, separate, usable_sides
from thaw.errors import UserError


def side(**photos):
    """`name="cat 1"`: a photo of that name and class whose file is "1"."""
    labels, digests = zip(*(x.split() for x in photos.values()), strict=True)
    names = ("cat", "dog")
    index = PhotoIndex(
        tuple(photos), np.array([names.index(x) for x in labels]), names
    )
    stamps = np.arange(3 * len(photos)).reshape(-1, 3)
    found = tuple(Found(digest=digest) for digest in digests)
    return index, Contents(tuple(photos), stamps, found)


def test_copies_in_both_sides_train():
    train, validation = separate(
        side(a="cat 1", b="dog 2"),
        side(c="cat 1", d="dog 3", e="dog 2", f="cat 4"),
    )
    photos, contents = train
    assert photos.paths == contents.paths == ("a", "b", "c", "e")
    assert photos.labels.tolist() == [0, 1, 0, 1]
    assert [look.digest for look in contents.found] == ["1", "2", "1", "2"]
    assert contents.stamps[2:].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert validation[0].paths == validation[1].paths == ("d", "f")


def test_copies_on_one_side_stay():
    before = side(a="cat 1", b="cat 1"), side(c="dog 2", d="dog 2")
    assert separate(*before) == before


def test_nothing_left_to_validate_on():
    with pytest.raises(UserError, match="validate on, no photo .* 'cat' is"):
        separate(side(a="cat 1", b="dog 2"), side(c="cat 1", d="dog 3"))


def test_only_those_that_can_be_used_are_split():
    names = {f"p{n}": f"{('cat', 'dog')[n % 2]} {n}" for n in range(12)}
    photos, contents = side(**names)
    looks = [
        look._replace(reason="damaged" if row < 4 else None)
        for row, look in enumerate(contents.found)
    ]
    checked = Contents(contents.paths, contents.stamps, tuple(looks))
    ((left, _),) = usable_sides([photos], checked)
    assert left.paths == photos.paths[4:]
    two = usable_sides([photos.take(range(3)), photos.take(range(3, 12))],
                       checked)  # fmt: skip
    assert [len(some) for some, _ in two] == [0, 8]
    assert two[1][1].stamps[0].tolist() == [12, 13, 14]
    (train, of_train), (validation, _) = make_sides(
        usable_sides([photos], checked), 0.25, seed=0
    )
    assert train.counts() == {"cat": 3, "dog": 3}
    assert validation.counts() == {"cat": 1, "dog": 1}
    assert of_train.paths == train.paths
    assert not {*train.paths, *validation.paths} & set(photos.paths[:4])
    with pytest.raises(UserError, match="To train on, no photo of .* 'cat'"):
        make_sides(two)
    with pytest.raises(UserError, match="'cat' has no photo. Expected"):
        make_sides([two[0]])
    with pytest.raises(UserError, match="one photo only"):
        make_sides([side(a="cat 1", b="cat 2", c="dog 3")])
