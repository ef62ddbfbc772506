import os
import shutil

import pytest

from thaw.data.inspect import inspect_photos
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
    assert not validation.notes


def test_photos_of_split_test_validate_for_want_of_others(folder):
    rows = [
        f"images/{name}{i}.jpg,{name},{split}"
        for name in ("cat", "dog")
        for i, split in enumerate(["train", "test"])
    ]
    table = write(folder, ["path,label,split", *rows])
    _, validation = load_photos(table)
    assert [x for x, _ in names(validation)] == ["cat1.jpg", "dog1.jpg"]
    assert validation.notes == (
        f"Validation photos: those of split test in {table.name}",
    )


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
    with pytest.raises(UserError, match="no rows whose split is test"):
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
    with pytest.raises(UserError, match="is not a table, but `data` is"):
        load_tables(tables[0], folder / "images")


@pytest.mark.parametrize(
    "lines",
    [
        ["path;label", "images/cat0.jpg;a, b", "images/dog0.jpg;c, d"],
        ["images/cat0.jpg;a, b", "images/dog0.jpg;c, d"],  # and no header
        ["image_id,Breed", 'cat0,"a, b"', 'dog0, "c, d"'],
        ["file name,x,class", 'cat0.jpg,1,"a, b"', 'dog0.jpg,2,"c, d"'],
        ["Image,Id", 'cat0.jpg,"a, b"', 'dog0.jpg,"c, d"'],
        ["cat0\ta, b", "dog0\tc, d"],
        ["foto,etiqueta", 'cat0.jpg,"a, b"', 'dog0.jpg,"c, d"'],
        ["path,label", 'images\\CAT0.jpg,"a, b"', 'Images/dog0.JPG,"c, d"'],
        [",path,label", '0,images/cat0.jpg,"a, b"', '1,images/dog0.jpg,"c, d"'],
        [
            "id,file,label",
            '7,images/cat0.jpg,"a, b"',
            '8,images/dog0.jpg,"c, d"',
        ],
        ["id,has_cat", 'cat0,"a, b"', 'dog0,"c, d"'],
        ["path,is_a,is_b,label", 'images/cat0.jpg,1,0,"a, b"']
        + ['images/dog0.jpg,0,1,"c, d"', 'images/dog0.jpg,1,1,"c, d"'],
    ],
)
def test_one_reading_is_read(folder, lines):
    train, validation = load_photos(write(folder, lines))
    assert validation is None
    assert names(train) == [("cat0.jpg", "a, b"), ("dog0.jpg", "c, d")]


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (["path,label", "images/cat0.jpg,a"], None),
        (["id,label,note", "cat0,a,x"], "labels.csv: not used: note"),
        (
            ["images/cat0.jpg,a"],
            "labels.csv: no header; photos in column 1, labels in column 2",
        ),
        (
            ["image,class,fold,valid", "cat0,a,0,true"],
            "labels.csv: photos in column image, labels in column class; not "
            "used: fold (to validate on fold 0, add a column is_valid: true "
            "where it is 0), valid (to validate where it is true, call it "
            "is_valid)",
        ),
        (
            ["path,label,split,is_valid", "images/cat0.jpg,a,train,true"],
            "labels.csv: not used: is_valid",
        ),
    ],
)
def test_what_is_not_obvious_or_not_used_is_said(folder, lines, note):
    train, _ = load_tables(write(folder, lines))
    assert train.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    "name, yes, no", [("is_valid", "True", "False"), ("IS_VAL", "1", "0.0")]
)
def test_a_column_of_true_and_false_is_the_split(folder, name, yes, no):
    rows = [
        f"images/{label}{i}.jpg,{label},{yes if i == 2 else no}"
        for label in ("cat", "dog")
        for i in range(3)
    ]
    table = write(folder, [f"path,label,{name}", *rows])
    train, validation = load_photos(table)
    assert [x for x, _ in names(train)] == [
        "cat0.jpg", "cat1.jpg", "dog0.jpg", "dog1.jpg"
    ]  # fmt: skip
    assert [x for x, _ in names(validation)] == ["cat2.jpg", "dog2.jpg"]


def test_columns_that_are_asked_for(folder):
    lines = ["a,b,c,d", "cat0,cat1,x,y", "dog0,dog1,z,w"]
    table = write(folder, lines)
    train, _ = load_photos(table, path_column="a", label_column="D")
    assert names(train) == [("cat0.jpg", "y"), ("dog0.jpg", "w")]
    train, _ = load_photos(table, label_column="a")
    assert names(train) == [("cat1.jpg", "cat0"), ("dog1.jpg", "dog0")]
    train, _ = load_photos(
        write(folder, lines[1:]), path_column="2", label_column="3"
    )
    assert names(train) == [("cat1.jpg", "x"), ("dog1.jpg", "z")]


def test_photos_that_are_not_there_are_bad_photos(folder):
    table = write(folder, ["path,label", "images/cat0.jpg,a", "x/y.jpg,b"])
    train, _ = load_photos(table)
    (bad,) = inspect_photos(train).bad()
    assert bad == (str(folder / "x/y.jpg"), "No such file or directory")
    table = write(folder, ["id,label", "cat0,a", "cat9,b"])
    assert load_photos(table)[0].paths[1] == str(folder / "cat9")


@pytest.mark.parametrize(
    "lines, message",
    [
        (["path,label"], "names no photos"),
        ([], "fewer than two columns"),
        (
            ["path,label", "x.jpg,a", "y.jpg,b"],
            "names no photo in .* Line 2: x",
        ),
        (["path,label", "images/cat0.jpg,"], "line 2: there is no label"),
        (["path,label", "images/cat0.jpg,a", ",b"], "line 3: there is no name"),
        (
            ["path,label", "images/cat0.jpg,a", "images/CAT0.jpg,b"],
            "line 3: .*cat0.jpg has two labels, a and b. Expected one label",
        ),
        (
            ["path,label", *(f"images/cat{i % 4}.jpg,{i}" for i in range(8))],
            "two labels, 0 and 4, and so have 3 other photos",
        ),
        (["path,label", "images/cat0.jpg,a"], "Only one class, 'a', in"),
        (
            ["path,label,split", "images/cat0.jpg,a,sometimes"],
            "line 2: split is 'sometimes'. Expected train or validation",
        ),
        (
            ["path,label,is_valid", "images/cat0.jpg,a,maybe"],
            "line 2: is_valid is 'maybe'. Expected true or false",
        ),
        (
            ["image,class,breed", "cat0,a,x", "dog0,b,y"],
            "labels may be in class, breed. It has 3 columns.*`label_column=",
        ),
        (
            ["image,x,y z", "cat0,a,x", "dog0,b,y"],
            "labels may be in x, y z.*`label_column=NAME`",
        ),
        (["image,fold", "cat0,1"], "labels are in no column"),
        (
            ["image,file,label", "cat0,cat1,a", "dog0,dog1,b"],
            "photos may be in image, file. .*`path_column=NAME`",
        ),
        (
            ["cat9,a", "cat0,b", "dog0,a"],
            r"the first line \(cat9, a\) may be a header, or name a missing",
        ),
        (
            ["id,cat,dog", "cat0,1,0", "dog0,0,1"],
            r"0 and 1 for each of 2 labels: cat, dog.*idxmax\(axis=1\)",
        ),
        (
            ["id,cat,dog,owl", "cat0,1,0,0", "dog0,0,1,1"],
            "The photo on line 3 has 2 of them; expected one.*`label_column=",
        ),
        (
            ["id,label", "cat0,a|b", "dog0,b"],
            r"labels such as 'a\|b' \(of 1 photos\) look like several labels",
        ),
        (
            ["id,label", "cat0,x|b", "dog0,x|c"],
            "of 2 photos. look like several labels",
        ),
        (
            ["id,label", "cat0,a b", "dog0,b", "dog1,a"],
            "like several labels",
        ),
        (
            ["id,label", 'cat0,"a, b"', "dog0,b", "dog1,a"],
            "like several labels",
        ),
        (
            ["id,tags", "cat0,clear river", "dog0,clear road"],
            "like several labels",
        ),
    ],
)
def test_bad_tables(folder, lines, message):
    with pytest.raises(UserError, match=message):
        load_photos(write(folder, lines))


def test_names_of_several_words_are_one_label(folder):
    lines = ["id,labels", "cat0,blue jay", "cat1,florida jay", "cat2,a|b"]
    train, _ = load_photos(write(folder, lines))
    assert train.class_names == ("a|b", "blue jay", "florida jay")


def test_two_delimiters_of_which_one_names_photos(folder):
    lines = ["path,label;label", "images/cat0.jpg,a;a", "images/dog0.jpg,b;b"]
    train, _ = load_photos(write(folder, lines))
    assert names(train) == [("cat0.jpg", "a;a"), ("dog0.jpg", "b;b")]
    (folder / "images/cat0.jpg,a").touch()
    with pytest.raises(UserError, match="separated by commas or semicolons"):
        load_photos(write(folder, lines))


def test_columns_are_those_of_a_table(folder):
    with pytest.raises(UserError, match="are for tables, and none of labels"):
        load_photos(folder, path_column="x")
    table = write(folder, ["path,label", "images/cat0.jpg,a"])
    with pytest.raises(UserError, match="`label_column`: .* no column 'x'"):
        load_photos(table, label_column="x")


def test_a_name_that_fits_two_photos(folder):
    shutil.copy(folder / "images/cat0.jpg", folder / "cat0.png")
    table = write(folder, ["id,label", "cat0,a", "dog0,b"])
    with pytest.raises(UserError, match="line 2: cat0 fits more than one"):
        load_tables(table)


def test_no_table_and_no_text(folder):
    with pytest.raises(UserError, match="There is no table"):
        load_tables(folder / "none.csv")
    shutil.copy(folder / "images/cat0.jpg", folder / "photo.csv")
    with pytest.raises(UserError, match="not a table in UTF-8"):
        load_tables(folder / "photo.csv")


def test_a_column_group_is_that_of_a_regular_expression(folder):
    lines = [
        f"images/{name}{i}.jpg,{name},{i // 2}"
        for name in ("cat", "dog")
        for i in range(4)
    ]
    train, _ = load_photos(write(folder, ["path,label,group", *lines]))
    assert train.groups == 2 * ("0", "0", "1", "1")
    table = write(folder, ["path,label", *(x.rsplit(",", 1)[0] for x in lines)])
    assert load_photos(table)[0].groups == ()
    found, _ = load_photos(table, group_regex=r"^images/...(\d)")
    assert found.groups == 2 * ("0", "1", "2", "3")


def test_a_photo_without_a_group_is_one_of_its_own(folder):
    lines = ["images/cat0.jpg,cat,a", "images/dog0.jpg,dog, "]
    (train, _) = load_photos(write(folder, ["path,label,group", *lines]))
    assert train.groups == ("a", str(folder / "images" / "dog0.jpg"))


def test_a_photo_with_two_groups_is_refused(folder):
    lines = ["images/cat0.jpg,cat,a", "images/cat0.jpg,cat,b"]
    with pytest.raises(
        UserError, match="line 3: .*cat0.jpg has two groups, a and b"
    ):
        load_tables(write(folder, ["path,label,group", *lines]))


def test_a_table_of_pixels_is_refused_in_few_words(folder):
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    row = ",".join(["7"] * 785)
    with pytest.raises(UserError, match="names no photo in") as error:
        load_photos(write(folder, [header, row]))
    assert "label, pixel0, pixel1, pixel2, pixel3 and 780 more" in str(
        error.value
    )
    assert len(str(error.value)) < 600
