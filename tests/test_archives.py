import io
import os
import shutil
import tarfile
import zipfile

import pytest

from errors import UserError
from input_pipeline.archives import unpack
from input_pipeline.split import load_photos


@pytest.fixture(scope="module")
def photos(drawn_photos, tmp_path_factory):
    """A folder `pets` with two photos of each class."""
    folder = tmp_path_factory.mktemp("archive") / "pets"
    for path in [*drawn_photos.glob("*/*0.jpg")][:6]:
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.parent.name)
    return folder


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
def test_photos_are_unpacked_once(photos, tmp_path, kind, capsys):
    archive = shutil.make_archive(
        tmp_path / "pets", kind, photos.parent, photos.name
    )
    folder = unpack(archive, tmp_path / "cache")
    assert folder.name == "pets" and "Unpacking" in capsys.readouterr().out
    train, _ = load_photos(folder, None, 0.5, None, 0)
    assert train.class_names == ("cat", "dog")
    assert unpack(archive, tmp_path / "cache") == folder
    assert not capsys.readouterr().out
    os.utime(archive, (1, 1))  # another archive of that name
    assert unpack(archive, tmp_path / "cache") != folder


def test_a_table_in_an_archive(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("set/labels.csv", "path,label\n")
        archive.writestr("set/images/1.jpg", b"")
        archive.writestr("__MACOSX/set/._labels.csv", b"")
    found = unpack(tmp_path / "a.zip", tmp_path / "cache")
    assert found.name == "labels.csv"


def hostile_zip(name, mode=0):
    contents = io.BytesIO()
    with zipfile.ZipFile(contents, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, b"x")
    return contents.getvalue()


def hostile_tar(name, kind=tarfile.REGTYPE, target=""):
    contents = io.BytesIO()
    with tarfile.open(fileobj=contents, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info, io.BytesIO(b""))
    return contents.getvalue()


def bomb():
    contents = io.BytesIO()
    with zipfile.ZipFile(contents, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.jpg", bytes(30 << 20))
    return contents.getvalue()


@pytest.mark.parametrize(
    "name, contents, message",
    [
        ("a.zip", hostile_zip("../evil.jpg"), "would be written elsewhere"),
        (
            "a.zip",
            hostile_zip("a/../../e.jpg"),
            "would be written elsewhere",
        ),
        ("a.zip", hostile_zip("/evil.jpg"), "would be written elsewhere"),
        ("a.zip", hostile_zip("C:\\evil.jpg"), "would be written elsewhere"),
        ("a.zip", hostile_zip("..\\evil.jpg"), "would be written elsewhere"),
        ("a.zip", hostile_zip("link.jpg", 0o120777), "is no plain file"),
        ("a.tar", hostile_tar("../evil.jpg"), "would be written elsewhere"),
        ("a.tar", hostile_tar("/evil.jpg"), "would be written elsewhere"),
        (
            "a.tar",
            hostile_tar("l", tarfile.SYMTYPE, "/etc/passwd"),
            "is no plain file",
        ),
        ("a.tar", hostile_tar("l", tarfile.LNKTYPE, "x"), "is no plain file"),
        ("a.tar", hostile_tar("pipe", tarfile.FIFOTYPE), "is no plain file"),
        ("a.tar", hostile_tar("dev", tarfile.CHRTYPE), "is no plain file"),
        ("a.zip", bomb(), "grows beyond reason"),
        ("a.zip", b"no archive", "cannot be unpacked"),
        ("a.tar.gz", b"no archive", "cannot be unpacked"),
    ],
)
def test_hostile_archives(tmp_path, name, contents, message):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(contents)
    with pytest.raises(UserError, match=message):
        unpack(tmp_path / "in" / name, tmp_path / "cache")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [tmp_path / "in" / name]


def test_half_an_archive(photos, tmp_path):
    archive = shutil.make_archive(tmp_path / "pets", "zip", photos)
    with open(archive, "r+b") as file:
        file.truncate(os.path.getsize(archive) // 2)
    with pytest.raises(UserError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "cache")
    with pytest.raises(UserError, match="there is no file"):
        unpack(tmp_path / "none.zip", tmp_path / "cache")
