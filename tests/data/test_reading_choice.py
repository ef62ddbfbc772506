import pytest

from tests.support.trees import make_files
from thaw.data.load import load_photos
from thaw.errors import UserError

SPLITS = ((1, "train"), (2, "val"))


def write(path, *rows):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """Class folders a and b with two photos each."""
    make_files(tmp_path, "a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg")
    return tmp_path


def test_a_table_beside_photos_in_no_classes_holds_their_labels(tmp_path):
    make_files(tmp_path, "set/train_images/1.jpg", "set/train_images/2.jpg")
    make_files(tmp_path, "set/test_images/3.jpg")
    table = tmp_path / "set" / "train.csv"
    write(table, "id,label", "1,x", "2,y")
    write(tmp_path / "set" / "sample_submission.csv", "id,label", "3,x")
    train, validation = load_photos(tmp_path)
    assert train.counts() == {"x": 1, "y": 1} and validation is None
    assert train.notes == (f"Labels: those of the table {table}",)
    assert train.skipped == {"photos that are not in the table": 1}


def test_a_table_that_cannot_be_used_says_why(tmp_path):
    make_files(tmp_path, "images/1.jpg", "images/2.jpg")
    write(tmp_path / "labels.csv", "width,height,area", "1,2,2")
    with pytest.raises(UserError, match="No labels in a table .*labels.csv"):
        load_photos(tmp_path)
    (tmp_path / "more").mkdir()
    with pytest.raises(UserError, match="more holds no photos"):
        load_photos(tmp_path)
    (tmp_path / "more").rmdir()
    make_files(tmp_path, "masks/1.png")
    with pytest.raises(UserError, match="in 2 ways(.|\n)*No labels in a table"):
        load_photos(tmp_path)


def test_a_table_of_one_label_or_of_unknown_ones_is_read_for_want_of_others(
    tmp_path,
):
    make_files(tmp_path, "1.jpg", "2.jpg")
    write(tmp_path / "labels.csv", "path,label", "1.jpg,x", "2.jpg,x")
    with pytest.raises(UserError, match="Only one class, 'x'"):
        load_photos(tmp_path)
    with pytest.raises(UserError, match="1 unknown class: x"):
        load_photos(tmp_path, class_names=("a", "b"))
    write(tmp_path / "labels.csv", "width,height,area", "1,2,2")
    with pytest.raises(UserError, match="2 lie directly(.|\n)*No labels in"):
        load_photos(tmp_path)


def test_two_tables_of_labels_are_two_readings(tmp_path):
    make_files(tmp_path, "1.jpg", "2.jpg")
    for name, labels in (("one.csv", "xy"), ("two.csv", "yx")):
        rows = [f"{i}.jpg,{x}" for i, x in enumerate(labels, 1)]
        write(tmp_path / name, "path,label", *rows)
    with pytest.raises(UserError, match="in 2 ways") as error:
        load_photos(tmp_path)
    for name in ("one.csv", "two.csv"):
        assert f"   `data={tmp_path / name}`\n" in f"{error.value}\n"


@pytest.mark.parametrize("labels", ["aabb", "1122"])
def test_a_table_that_sorts_photos_as_folders_do_is_not_used(folder, labels):
    paths = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg")
    rows = [f"{x},{y}" for x, y in zip(paths, labels, strict=True)]
    write(folder / "labels.csv", "path,label", *rows)
    train, _ = load_photos(folder)
    assert train.counts() == {"a": 2, "b": 2}
    assert train.notes == (
        "The table labels.csv was not used; to train on its labels: "
        f"`data={folder / 'labels.csv'}`",
    )


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("path,label", ["a/1.jpg,x", "a/2.jpg,y", "b/1.jpg,x", "b/2.jpg,y"]),
        ("path,label", ["a/1.jpg,x", "b/1.jpg,x", "b/2.jpg,y"]),
        (
            "path,label,split",
            [f"{x}/{i}.jpg,{x},{y}" for x in "ab" for i, y in SPLITS],
        ),
    ],
)
def test_a_table_that_sorts_them_otherwise_is_another_reading(
    folder, columns, rows
):
    write(folder / "labels.csv", columns, *rows)
    with pytest.raises(UserError, match="1. 2 classes, in a table\n") as error:
        load_photos(folder)
    assert "`class_folders='*'`" in str(error.value)
    train, _ = load_photos(folder, class_folders=["*"])
    assert train.counts() == {"a": 2, "b": 2}


def test_photos_of_known_classes_are_found_in_parts_and_wrappers(tmp_path):
    known = ("cat", "dog", "owl")

    def counts(name):
        train, validation = load_photos(tmp_path / name, class_names=known)
        photos = train if validation is None else validation
        return {name: n for name, n in photos.counts().items() if n}

    make_files(tmp_path / "one", "cat/1.jpg", "cat/2.jpg", "dog/notes.txt")
    assert counts("one") == {"cat": 2}
    make_files(tmp_path / "wrapped", "a/b/owl/1.jpg")
    assert counts("wrapped") == {"owl": 1}
    make_files(tmp_path / "nested", "cat/2020/1.jpg", "cat/2021/1.jpg")
    assert counts("nested") == {"cat": 2}
    make_files(tmp_path / "parts", "seg_train/cat/1.jpg", "seg_test/owl/1.jpg")
    assert counts("parts") == {"owl": 1}
    make_files(tmp_path / "beside", "cat/1.jpg", "test/1.jpg")
    assert counts("beside") == {"cat": 1}
    make_files(tmp_path / "inside", "cat/a/1.jpg", "cat/b/1.jpg", "dog/a/1.jpg")
    make_files(tmp_path / "inside", "dog/b/1.jpg")
    assert counts("inside") == {"cat": 2, "dog": 2}
    make_files(tmp_path / "two", "val/cat/1.jpg", "test/cat/1.jpg")
    with pytest.raises(UserError, match="in 2 ways"):
        counts("two")


def test_a_split_inside_class_folders_is_shown(tmp_path):
    for name in ("cat", "dog"):
        for part, count in (("train", 3), ("val", 2), ("test", 1)):
            for number in range(count):
                path = tmp_path / name / part / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    with pytest.raises(UserError) as error:
        load_photos(tmp_path)
    lines = [line.strip() for line in str(error.value).splitlines()]
    start = lines.index(
        "2. 2 classes, split into training and validation photos"
    )
    assert lines[start + 2 : start + 8] == [
        "cat/train/ (3 photos)",
        "dog/train/ (3 photos)",
        f"validation: {tmp_path.name}/ (4 photos)",
        "cat/val/ (2 photos)",
        "dog/val/ (2 photos)",
        "if so, make it train/CLASS/ and validation/CLASS/, or a table with a "
        "column split",
    ]
