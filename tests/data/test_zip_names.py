import io
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest

from thaw.data.archives import unpack
from thaw.data.zip_names import member_names
from thaw.errors import UserError


def zip_of(*names, encoding=None, unicode_path=False):
    """Returns a ZIP file with names of tools that set no flag."""
    contents = io.BytesIO()
    with zipfile.ZipFile(contents, "w") as archive:
        for number, name in enumerate(names):
            raw = name.encode(encoding or "utf-8")
            info = zipfile.ZipInfo(f"{number:03d}".ljust(len(raw), "_"))
            if unicode_path:
                field = struct.pack("<BL", 1, zlib.crc32(raw)) + name.encode()
                info.extra = struct.pack("<HH", 0x7075, len(field)) + field
            archive.writestr(info, b"x")
    written = contents.getvalue()
    for number, name in enumerate(names):
        raw = name.encode(encoding or "utf-8")
        ascii_name = f"{number:03d}".ljust(len(raw), "_").encode()
        assert written.count(ascii_name) == 2
        written = written.replace(ascii_name, raw)
    return io.BytesIO(written)


def read(file, labels_in_names=False):
    with zipfile.ZipFile(file) as opened:
        return member_names(opened, labels_in_names)


CATS = ["pets/猫/1.jpg", "pets/狗/2.jpg"]


@pytest.mark.parametrize("unicode_path", [False, True])
def test_names_that_are_told(unicode_path):
    if unicode_path:
        file = zip_of(*CATS, encoding="gbk", unicode_path=True)
    else:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in CATS:
                archive.writestr(name, b"x")
    assert read(file) == (CATS, None)


@pytest.mark.parametrize(
    ("names", "encoding", "found"),
    [
        (CATS, "utf-8", "utf-8"),  # as macOS writes them
        (["猫.jpg", "a/1.jpg"], "utf-8", "utf-8"),
        (["Käfer/1.jpg", "Straße/2.jpg", "été/3.jpg"], "cp437", None),
        (["pão/1.jpg"], "cp850", "cp850"),
        (["Кошка/1.jpg", "Собака/Пёс/2.jpg"], "cp866", "cp866"),
        (["ネコ/1.jpg", "いぬ/2.jpg", "ねこ"], "cp932", "cp932"),
        (["a/猫.jpg"], "gbk", None),  # the class is a
    ],
)
def test_the_only_likely_encoding_is_taken(names, encoding, found):
    read_names, read_as = read(zip_of(*names, encoding=encoding))
    assert read_as == found
    if encoding != "gbk":
        assert read_names == names


@pytest.mark.parametrize(
    ("names", "encoding", "with_files", "words"),
    [
        (CATS, "gbk", False, "gb2312: 狗, 猫\n"),
        (["貓/1.jpg", "狗/2.jpg"], "big5", False, "big5: 狗, 貓\n"),
        (["고양이/1.jpg", "개/2.jpg"], "cp949", False, "euc_kr: 개, 고양이\n"),
        (["똠양/1.jpg"], "cp949", False, "cp949: 똠양\n"),
        (["São Paulo/1.jpg"], "cp850", False, "cp850: São Paulo\n"),
        (["猫/1.jpg"], "gbk", False, "gb2312: 猫\n"),  # and \xe8 in UTF-8
        (["T恤/1.jpg"], "gbk", False, "gb2312: T恤\n"),
        (["a/猫_1.jpg"], "gbk", True, "gb2312: 猫_1\n"),
    ],
)
def test_several_readings_are_shown(names, encoding, with_files, words):
    with pytest.raises(UserError, match="doesn't record the encoding") as error:
        read(zip_of(*names, encoding=encoding), with_files)
    assert f"\n  {words}" in str(error.value)


def test_what_is_advised_unpacks_it(tmp_path):
    archive = tmp_path / "pets.zip"
    archive.write_bytes(zip_of(*CATS, encoding="gbk").getvalue())
    with pytest.raises(UserError, match="--metadata-encoding=gb2312") as error:
        unpack(archive, tmp_path / "cache")
    *_, command = str(error.value).partition("python ")
    command = command.replace("FOLDER", str(tmp_path / "out")).split()
    subprocess.run([sys.executable, *command], check=True)
    assert (tmp_path / "out" / CATS[0]).is_file()


def test_unpacked_under_the_right_names(tmp_path, capsys):
    archive = tmp_path / "pets.zip"
    archive.write_bytes(zip_of(*CATS).getvalue())
    folder = unpack(archive, tmp_path / "cache")
    names = sorted(x.name for x in (folder / "pets").iterdir())
    assert names == ["狗", "猫"]
    assert "pets.zip (names read as utf-8)" in capsys.readouterr().out
