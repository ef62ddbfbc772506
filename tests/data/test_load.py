import shutil

import pytest

from thaw.data.load import load_photos
from thaw.errors import UserError


def pack(folder, name):
    return shutil.make_archive(str(folder.parent / name), "zip", folder)


def test_each_side_may_be_an_archive(drawn_photos, tmp_path):
    data = shutil.copytree(drawn_photos, tmp_path / "data")
    archive = pack(data, "photos")
    train, validation = load_photos(archive, cache_dir=tmp_path / "cache")
    assert train.counts() == {"cat": 24, "dog": 24} and validation is None
    for photo in sorted(data.glob("*/*.jpg"))[::2]:
        photo.unlink()
    train, validation = load_photos(
        archive, pack(data, "some"), cache_dir=tmp_path / "cache"
    )
    assert (len(train), len(validation)) == (48, 24)
    train, _ = load_photos(
        archive, label_regex=r"(\d)\.", cache_dir=tmp_path / "cache"
    )
    assert train.class_names == tuple("0123456789")


def test_a_table_in_an_archive_names_what_is_in_it_only(tmp_path):
    data = tmp_path / "data"
    for name in ("in/a.jpg", "in/b.jpg", "c.jpg"):
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (data / "in" / "labels.csv").write_text("path,label\na.jpg,x\nb.jpg,y\n")
    train, _ = load_photos(pack(data / "in", "good"), cache_dir=tmp_path)
    assert train.counts() == {"x": 1, "y": 1}
    for outside in (data / "c.jpg", "../../../../data/c.jpg"):
        table = f"path,label\na.jpg,x\n{outside},y\n"
        (data / "in" / "labels.csv").write_text(table)
        # Of a table that is one's own, photos may be anywhere.
        if outside == data / "c.jpg":
            assert len(load_photos(data / "in" / "labels.csv")[0]) == 2
        archive = pack(data / "in", "bad")
        with pytest.raises(UserError, match="its table names .*c.jpg, which"):
            load_photos(archive, cache_dir=tmp_path / "cache" / "x")


def test_training_and_validation_photos_may_be_of_two_kinds(tmp_path):
    for name in (
        "flat/1.jpg",
        "flat/2.jpg",
        "sorted/x/1.jpg",
        "sorted/y/1.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    table = tmp_path / "flat" / "labels.csv"
    table.write_text("path,label\n1.jpg,x\n2.jpg,y\n")
    sources = [tmp_path / "flat", table, tmp_path / "sorted"]
    sources += [pack(sources[0], "flat"), pack(sources[2], "sorted")]
    for data in sources:
        for validation_data in sources:
            splits = load_photos(
                data, validation_data, cache_dir=tmp_path / "cache"
            )
            assert [x.counts() for x in splits] == 2 * [{"x": 1, "y": 1}]


def test_a_table_in_an_archive_of_validation_photos_is_checked(tmp_path):
    for name in ("in/a.jpg", "in/b.jpg", "c.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    table = tmp_path / "in" / "labels.csv"
    table.write_text("path,label\na.jpg,x\nb.jpg,y\n")
    own = tmp_path / "own.csv"
    own.write_text("path,label\nin/a.jpg,x\nin/b.jpg,y\n")
    table.write_text(f"path,label\na.jpg,x\n{tmp_path / 'c.jpg'},y\n")
    archive = pack(tmp_path / "in", "packed")
    for data in (own, tmp_path / "in"):
        with pytest.raises(UserError, match="its table names .*c.jpg, which"):
            load_photos(data, archive, cache_dir=tmp_path / "cache")


def table_of(folder, names, *columns):
    """Makes photos, and a table of them; other columns have cells in turn."""
    header, *cells = columns
    lines = [f"path,{header}"]
    for row, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        lines.append(",".join([name, *(x[row % len(x)] for x in cells)]))
    (folder / "labels.csv").write_text("\n".join(lines))


def test_a_split_of_a_table_in_a_folder_or_an_archive(tmp_path):
    names = [f"images/{number}.jpg" for number in range(8)]
    columns = ("label,split", "xy", ["train"] * 6 + ["test"] * 2)
    table_of(tmp_path / "data", names, *columns)
    for data in (tmp_path / "data", pack(tmp_path / "data", "packed")):
        photos, other = load_photos(
            data, class_names="xy", split="test", cache_dir=tmp_path / "cache"
        )
        assert [x.rpartition("images/")[2] for x in photos.paths] == [
            "6.jpg",
            "7.jpg",
        ]
        assert photos.labels.tolist() == [0, 1] and other is None
        assert photos.notes[-1].startswith("Labels: those of the table")
        with pytest.raises(UserError, match="no rows whose split is valid"):
            load_photos(
                data,
                class_names="xy",
                split="validation",
                cache_dir=tmp_path / "cache",
            )


def test_a_table_in_the_folder_of_a_split(tmp_path):
    names = [f"images/{number}.jpg" for number in range(4)]
    for part in ("train", "test"):
        table_of(tmp_path / part, names, "label", "xy")
    table = tmp_path / "test" / "labels.csv"
    photos, _ = load_photos(tmp_path, class_names="xy", split="test")
    assert photos.counts() == {"x": 2, "y": 2}
    assert all(str(table.parent) in path for path in photos.paths)
    # It isn't from an archive, so photos may be anywhere.
    table.write_text(table.read_text().replace("images/", "../train/images/"))
    photos, _ = load_photos(tmp_path, class_names="xy", split="test")
    assert photos.paths[0] == str(tmp_path / "train" / "images" / "0.jpg")


@pytest.mark.parametrize("place", ["", "photos", "test_set"])
def test_the_only_folder_may_be_that_of_the_split(tmp_path, place):
    for name in ("x/1.jpg", "y/2.jpg"):
        path = tmp_path / "test_set" / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    photos, _ = load_photos(tmp_path, class_names="xy", split="test")
    assert photos.counts() == {"x": 1, "y": 1}


def test_groups_of_a_split_are_in_the_same_paths(tmp_path):
    for name in ("train/x/p1", "train/y/p2", "test/x/p3", "test/y/p4"):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    options = {"group_regex": r"^[^/]+/[^/]+/(p\d)"}
    _, validation = load_photos(tmp_path, **options)
    photos, _ = load_photos(tmp_path, class_names="xy", split="test", **options)
    assert photos.groups == validation.groups == ("p3", "p4")


def test_columns_of_a_table_in_a_folder_or_an_archive(tmp_path):
    names = [f"{number}.jpg" for number in range(6)]
    table_of(tmp_path / "data", names, "coat,kind", "abc", "xy")
    for data in (tmp_path / "data", pack(tmp_path / "data", "packed")):
        options = {"cache_dir": tmp_path / "cache"}
        with pytest.raises(UserError, match="may be in coat, kind"):
            load_photos(data, **options)
        train, _ = load_photos(data, label_column="kind", **options)
        assert train.counts() == {"x": 3, "y": 3}
    for name in ("a/1.jpg", "b/1.jpg"):
        (tmp_path / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / name).touch()
    with pytest.raises(UserError, match="are for tables, and none of labels"):
        load_photos(
            pack(tmp_path / "plain", "plain"), label_column="x", **options
        )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("labels.csv", {"label_regex": "(.)"}),
        ("labels.csv", {"class_folders": ["*"]}),
        ("photos.zip", {"class_folders": ["*"], "label_column": "x"}),
        ("photos", {"label_regex": "(.)", "path_column": "x"}),
        ("photos", {"label_regex": "(.)", "class_folders": ["*"]}),
    ],
)
def test_labels_are_in_one_place(name, options):
    with pytest.raises(UserError, match="Labels are either .* or .*Received"):
        load_photos(name, **options)


def test_a_split_that_does_not_count_is_said(tmp_path):
    names = [f"{number}.jpg" for number in range(8)]
    columns = ("label,split", "xy", ["train"] * 6 + ["test"] * 2)
    table_of(tmp_path / "data", names, *columns)
    for name in ("x/1.jpg", "y/1.jpg"):
        (tmp_path / "new" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "new" / name).touch()
    for data in (tmp_path / "data", tmp_path / "data" / "labels.csv"):
        train, validation = load_photos(data, tmp_path / "new")
        assert (len(train), len(validation)) == (8, 2)
        assert "all 8 photos are used, also 2 of other" in train.notes[0]
    train, _ = load_photos(tmp_path / "data", tmp_path / "new")
    assert train.notes[1].startswith("Labels: those of the table")
