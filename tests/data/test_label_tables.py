import os
import shutil

import pytest

from thaw.data.label_tables import load_tables
from thaw.data.load import load_photos
from thaw.errors import UserError


@pytest.fixture
def folder(drawn_photos, tmp_path):
    """A flat folder with cat0.jpg to cat3.jpg and dog0.jpg to dog3.jpg."""
    (tmp_path / "images").mkdir()
    for name in ("cat", "dog"):
        for i, path in enumerate(sorted(drawn_photos.glob(f"{name}/*"))[:4]):
            shutil.copy(path, tmp_path / "images" / f"{name}{i}.jpg")
    return tmp_path


def write(folder, lines, name="labels.csv"):
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return folder / name


def names(photos):
    return [
        (os.path.basename(path), photos.class_names[label])
        for path, label in zip(photos.paths, photos.labels, strict=True)
    ]


def test_paths_and_labels_in_the_order_of_the_table(folder):
    table = write(
        folder,
        ["note,path,label", "x,images/dog1.jpg,dog", ",images/cat0.jpg, cat "],
    )
    train, validation = load_tables(table)
    assert validation is None
    assert names(train) == [("dog1.jpg", "dog"), ("cat0.jpg", "cat")]
    assert train.class_names == ("cat", "dog")


def test_ids_are_found_with_or_without_their_ending(folder):
    table = write(folder, ["id\tlabel", "cat1\ta", "dog2.jpg\tb"], "labels.tsv")
    train, _ = load_tables(table)
    assert names(train) == [("cat1.jpg", "a"), ("dog2.jpg", "b")]


def test_a_column_split_is_kept(folder):
    rows = [
        f"images/{name}{i}.jpg,{name},{split}"
        for name in ("cat", "dog")
        for i, split in enumerate(["train", "", "val", "test"])
    ]
    table = write(folder, ["path,label,Split", *rows])
    train, validation = load_photos(table)
    assert [x for x, _ in names(train)] == [
        "cat0.jpg", "cat1.jpg", "dog0.jpg", "dog1.jpg"
    ]  # fmt: skip
    assert [x for x, _ in names(validation)] == ["cat2.jpg", "dog2.jpg"]
    assert train.skipped == {"photos of split test": 2}


def test_one_split_of_a_table(folder):
    rows = [
        "images/cat0.jpg,cat,train",
        "images/cat1.jpg,cat,VAL",
        "images/dog0.jpg,dog,train",
        "images/dog1.jpg,dog,test",
    ]
    table = write(folder, ["path,label,split", *rows])
    known = {"class_names": ("dog", "cat")}
    photos, other = load_photos(table, split="test", **known)
    assert names(photos) == [("dog1.jpg", "dog")] and other is None
    photos, _ = load_photos(table, split="validation", **known)
    assert names(photos) == [("cat1.jpg", "cat")]
    table = write(folder, ["path,label", "images/cat0.jpg,cat"])
    with pytest.raises(UserError, match="no rows whose `split` is test"):
        load_photos(table, split="test", **known)


def test_two_tables(folder):
    some = [f"images/{name}0.jpg,{name}" for name in ("cat", "dog")]
    others = [f"images/{name}1.jpg,{name}" for name in ("cat", "dog")]
    tables = [
        write(folder, ["path,label", *rows], name)
        for rows, name in ((some, "a.csv"), (others, "b.csv"))
    ]
    train, validation = load_tables(*tables)
    assert names(train)[0][0] == "cat0.jpg"
    assert names(validation)[0][0] == "cat1.jpg"
    with pytest.raises(UserError, match="is no table, as `data` is"):
        load_tables(tables[0], folder / "images")


@pytest.mark.parametrize(
    "lines, message",
    [
        (["path,class", "images/cat0.jpg,cat"], "columns path, class"),
        (["path,label"], "names no photos"),
        ([], "columns none"),
        (
            ["path,label", "images/cat0.jpg,a", "x.jpg,b", "y.jpg,b"],
            "2 of 3 photos are not there, e.g. x.jpg, y.jpg",
        ),
        (["id,label", "cat0,a", "cat9,b"], "1 of 2 photos are not there"),
        (["path,label", "images/cat0.jpg,"], "line 2: there is no label"),
        (
            ["path,label", "images/cat0.jpg,a", "images/cat0.jpg,b"],
            "line 3: .*two labels",
        ),
        (["path,label", "images/cat0.jpg,a"], "Only one class, 'a', in"),
        (
            ["path,label,split", "images/cat0.jpg,a,sometimes"],
            "split is 'sometimes'",
        ),
    ],
)
def test_bad_tables(folder, lines, message):
    with pytest.raises(UserError, match=message):
        load_photos(write(folder, lines))


def test_an_id_that_fits_two_photos(folder):
    shutil.copy(folder / "images/cat0.jpg", folder / "cat0.png")
    with pytest.raises(UserError, match="the id cat0 fits more than one"):
        load_tables(write(folder, ["id,label", "cat0,a", "dog0,b"]))


def test_no_table_and_no_text(folder):
    with pytest.raises(UserError, match="There is no table"):
        load_tables(folder / "none.csv")
    shutil.copy(folder / "images/cat0.jpg", folder / "photo.csv")
    with pytest.raises(UserError, match="not a table in UTF-8"):
        load_tables(folder / "photo.csv")
