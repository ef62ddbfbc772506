import contextlib
import io
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.corpus import png
from thaw.data import MAX_PIXELS, inspect
from thaw.data.inspect_worker import SECONDS, Found


def check_photos(paths, max_pixels=MAX_PIXELS):
    """Returns what is found in each, in the order of `paths`."""
    found = dict(inspect.check_photos(paths, max_pixels))
    return [found[row] for row in range(len(paths))]


@pytest.fixture(scope="module")
def jpeg(drawn_photos):
    return sorted(drawn_photos.glob("cat/*.jpg"))[0].read_bytes()


def png_of(width, height):
    """A PNG whose header promises more than there is."""
    return png(width, height, 8, 2, bytes(1000))


def test_good_and_bad_photos(tmp_path, jpeg):
    bad = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"not a photo", "not an image"),
        "page.png": (b"<html></html>", "not an image"),
        "zeros.jpg": (bytes(1000), "not an image"),
        "start.jpg": (jpeg[:2], "not an image"),
        "header.jpg": (jpeg[:200], "damaged|not an image"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "damaged .*truncated"),
        "bomb.png": (png_of(40_000, 40_000), "more pixels than --max_pixels"),
        "wide.png": (png_of(2_000_000, 1000), "more pixels than --max_pixels"),
        "short.png": (png_of(300, 300), "damaged"),
    }
    good = {"good.jpg": jpeg, "lies.png": jpeg, "tail.jpg": jpeg + b"more"}
    for name, content in good.items():
        (tmp_path / name).write_bytes(content)
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
    names = [*good, *bad]
    found = check_photos([str(tmp_path / name) for name in names])
    size = Image.open(io.BytesIO(jpeg)).size
    for name, look in zip(names, found, strict=True):
        if name in good:
            assert look.reason is None and len(look.digest) == 32
            assert (look.width, look.height) == size
            assert look.format == "JPEG" and look.plain
        else:
            assert re.search(bad[name][1], look.reason), (name, look)
    assert found[0].digest == found[1].digest != found[2].digest


def test_what_is_no_file(tmp_path, jpeg):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    names = ["pipe.jpg", "folder.jpg", "dead.jpg", "loop.jpg", "none.jpg"]
    found = check_photos([str(tmp_path / name) for name in names])
    reasons = [look.reason for look in found]
    assert reasons[:2] == ["not a file", "not a file"]
    assert "No such file" in reasons[2] and "No such file" in reasons[4]
    assert "symbolic links" in reasons[3]


def test_odd_names(tmp_path, jpeg):
    names = [
        b"a b.jpg",
        b"new\nline.jpg",
        b"\xff\xfe.jpg",
        "\u00fc\u4e2d.jpg".encode(),
    ]
    paths = []
    for name in names:
        paths.append(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
        with open(paths[-1], "wb") as file:
            file.write(jpeg)
    assert [look.reason for look in check_photos(paths)] == 4 * [None]


def test_fewer_pixels_may_be_allowed(tmp_path, jpeg):
    (tmp_path / "a.jpg").write_bytes(jpeg)
    (found,) = check_photos([str(tmp_path / "a.jpg")], max_pixels=100)
    assert re.search(r"more pixels than --max_pixels \(\d+ x", found.reason)
    assert found.width * found.height > 100


# Answers as `look` does, but dies or hangs where the name says so.
_ODD_LOOKER = """
import os, signal, struct, sys, time
print("ready", flush=True)
while length := sys.stdin.buffer.read(4):
    path = sys.stdin.buffer.read(struct.unpack("<I", length)[0])
    if b"crash" in path:
        os.abort()
    if b"hang" in path:
        signal.alarm(1)
        time.sleep(600)
    print('["looked at"]', flush=True)
"""


def use_looker(monkeypatch, code):
    monkeypatch.setattr(
        inspect,
        "_command",
        lambda max_pixels: [sys.executable, "-c", code, str(max_pixels)],
    )


@pytest.fixture
def odd_looker(monkeypatch):
    use_looker(monkeypatch, _ODD_LOOKER)


def test_a_photo_that_kills_or_hangs_costs_only_itself(odd_looker):
    names = ["a", "crash1", "b", "hang", "c", "crash2", "d", "e"]
    reasons = [look.reason for look in check_photos(names)]
    assert reasons == [
        {
            "c": "crashes the decoder",
            "h": f"takes more than {SECONDS} s",
        }.get(name[0] if len(name) > 1 else "", "looked at")
        for name in names
    ]


def test_many_threads_may_ask_at_once(odd_looker):
    with (
        contextlib.closing(inspect.Checker(MAX_PIXELS)) as checker,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(checker.look_at, 20 * ["a", "crash", "b"]))
    reasons = [look.reason for look in found]
    assert reasons == 20 * ["looked at", "crashes the decoder", "looked at"]


def test_who_goes_away_leaves_no_process_behind(odd_looker):
    looking = inspect.check_photos(["a", *100 * ["hang"]], MAX_PIXELS)
    next(looking)
    assert child_processes()
    start = time.monotonic()
    looking.close()  # as Ctrl-C does
    assert time.monotonic() - start < 10  # and not 100 hangs later
    assert not child_processes()


def child_processes():
    return [
        child
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def test_a_process_that_cannot_be_started_blames_no_photo(monkeypatch):
    use_looker(monkeypatch, "raise SystemExit('no numpy')")
    with pytest.raises(RuntimeError, match="cannot be started: no numpy"):
        check_photos(["a.jpg", "b.jpg"])


def test_what_tensorflow_cannot_decode_is_damaged(tmp_path):
    """Pillow takes it, and shows black where rows are missing."""
    (tmp_path / "a.png").write_bytes(png(9, 9, 8, 0, bytes(5 * 10)))
    (found,) = check_photos([str(tmp_path / "a.png")])
    assert found.reason == "damaged (TensorFlow cannot decode it)"


def test_a_look_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    """The process ends itself, whatever its decoder is doing."""
    code = (
        "import signal, sys\n"
        "from input_pipeline import look\n"
        "look.SECONDS = 1\n"
        "look.pixels.decode = lambda contents: signal.pause()\n"
        "look.main()\n"
    )
    use_looker(monkeypatch, code)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (found,) = check_photos([str(tmp_path / "a.png")])
    assert found == Found(f"takes more than {SECONDS} s")


def test_memory_is_bounded(tmp_path, monkeypatch):
    """A small file that asks for much, within --max_pixels."""
    contents = io.BytesIO()
    Image.fromarray(np.zeros((9000, 9000), "uint8")).save(contents, "PNG")
    (tmp_path / "large.png").write_bytes(contents.getvalue())
    path = str(tmp_path / "large.png")
    (found,) = check_photos([path], max_pixels=10**9)
    assert found.reason is None and found.width == 9000
    code = (
        "from input_pipeline import look\n"
        "look._MEMORY = 500_000_000\n"
        "look.main()\n"
    )
    use_looker(monkeypatch, code)
    (found,) = check_photos([path], max_pixels=10**9)
    assert found == Found("takes too much memory")
