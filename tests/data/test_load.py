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
