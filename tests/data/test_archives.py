import gzip
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from thaw.data.archives import is_archive, unpack
from thaw.data.load import load_photos
from thaw.errors import UserError


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
    assert "Unpacking" in capsys.readouterr().out
    train, _ = load_photos(folder)
    assert train.class_names == ("cat", "dog")
    assert unpack(archive, tmp_path / "cache") == folder
    assert not capsys.readouterr().out
    os.utime(archive, (1, 1))  # another archive of that name
    assert unpack(archive, tmp_path / "cache") != folder


def test_a_table_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        table = "path,label\nimages/1.jpg,a\nimages/2.jpg,b\n"
        archive.writestr("set/labels.csv", table)
        archive.writestr("set/images/1.jpg", b"")
        archive.writestr("set/images/2.jpg", b"")
        archive.writestr("__MACOSX/set/._labels.csv", b"")
    train, _ = load_photos(tmp_path / "a.zip", cache_dir=tmp_path / "cache")
    assert train.counts() == {"a": 1, "b": 1}


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


def zip_that_lies():
    """It claims 10 bytes for a member of 30 MB."""
    contents = bytearray(bomb())
    entry = contents.index(b"PK\x01\x02")
    for place in (22, entry + 24):
        contents[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(contents)


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
        ("a.zip", bomb(), "expands to too much data"),
        ("a.zip", zip_that_lies(), "cannot be unpacked"),
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
    with pytest.raises(UserError, match="There is no file"):
        unpack(tmp_path / "none.zip", tmp_path / "cache")


def test_a_folder_may_be_called_like_an_archive(tmp_path):
    (tmp_path / "photos.zip").mkdir()
    assert not is_archive(tmp_path / "photos.zip")


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 3 << 30
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(info.tobuf() + bytes(100_000))
    with pytest.raises(UserError, match="a header of 3221225472 bytes"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "cache")


def test_very_many_empty_files(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for number in range(20_000):
            archive.addfile(tarfile.TarInfo(f"{number}.jpg"))
    with pytest.raises(UserError, match="expands to too much data"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "cache")


@pytest.mark.parametrize("kind", ["gztar", "bztar", "xztar"])
@pytest.mark.parametrize("place", [0.3, 0.9, 0.999])
def test_packed_archives_that_are_damaged(photos, tmp_path, kind, place):
    archive = shutil.make_archive(tmp_path / "pets", kind, photos)
    contents = bytearray(Path(archive).read_bytes())
    start = int(len(contents) * place) - 8
    contents[start : start + 8] = bytes(x ^ 0xFF for x in contents[start:][:8])
    Path(archive).write_bytes(contents)
    with pytest.raises(UserError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "cache")


def test_a_tar_file_damaged_in_the_middle_loses_no_photo_silently(
    photos, tmp_path
):
    archive = shutil.make_archive(tmp_path / "pets", "tar", photos)
    contents = bytearray(Path(archive).read_bytes())
    place = contents.rindex(b"ustar") - 200  # in the last header
    contents[place : place + 50] = b"?" * 50
    Path(archive).write_bytes(contents)
    with pytest.raises(UserError, match="damaged in the middle|bad checksum"):
        unpack(archive, tmp_path / "cache")


@pytest.mark.parametrize("name", [".", "", "a\0b.jpg"])
def test_names_of_members_that_are_none(tmp_path, name):
    with tarfile.open(
        tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT
    ) as tar:
        info = tarfile.TarInfo("x.jpg")
        info.pax_headers = {"path": name}
        tar.addfile(info)
    with pytest.raises(UserError, match="refused|cannot be unpacked"):
        unpack(tmp_path / "a.tar", tmp_path / "cache")
