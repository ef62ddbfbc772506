import contextlib
import io
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.corpus import png
from tests.support.paths import ROOT
from thaw.data import MAX_PIXELS, inspect, worker_process
from thaw.data.inspect_worker import SECONDS, Inspection
from thaw.data.photos import Photos


def inspect_all(paths, max_pixels=MAX_PIXELS):
    """Returns the inspection of each, in the order of `paths`."""
    with inspect.Inspector(max_pixels) as inspector:
        return list(inspector.inspect_all(paths))


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
        "bomb.png": (png_of(40_000, 40_000), "more pixels than `max_pixels`"),
        "wide.png": (png_of(2_000_000, 1000), "more pixels than `max_pixels`"),
        "short.png": (png_of(300, 300), "damaged"),
    }
    good = {"good.jpg": jpeg, "lies.png": jpeg, "tail.jpg": jpeg + b"more"}
    for name, content in good.items():
        (tmp_path / name).write_bytes(content)
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
    names = [*good, *bad]
    found = inspect_all([str(tmp_path / name) for name in names])
    size = Image.open(io.BytesIO(jpeg)).size
    for name, inspection in zip(names, found, strict=True):
        if name in good:
            assert inspection.reason is None and len(inspection.digest) == 32
            assert (inspection.width, inspection.height) == size
            assert inspection.format == "JPEG" and inspection.plain
        else:
            assert re.search(bad[name][1], inspection.reason), (
                name,
                inspection,
            )
    assert found[0].digest == found[1].digest != found[2].digest


def test_what_is_no_file(tmp_path, jpeg):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    names = ["pipe.jpg", "folder.jpg", "dead.jpg", "loop.jpg", "none.jpg"]
    found = inspect_all([str(tmp_path / name) for name in names])
    reasons = [inspection.reason for inspection in found]
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
    assert [x.reason for x in inspect_all(paths)] == 4 * [None]


def test_fewer_pixels_may_be_allowed(tmp_path, jpeg):
    (tmp_path / "a.jpg").write_bytes(jpeg)
    (found,) = inspect_all([str(tmp_path / "a.jpg")], max_pixels=100)
    assert re.search(r"more pixels than `max_pixels` \(\d+ x", found.reason)
    assert found.width * found.height > 100


# Answers as `inspect_worker` does, but dies or hangs where the name says so.
_ODD_WORKER = """
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


def use_worker(monkeypatch, code):
    monkeypatch.setattr(
        worker_process,
        "command",
        lambda max_pixels: [sys.executable, "-c", code, str(max_pixels)],
    )


@pytest.fixture
def odd_worker(monkeypatch):
    use_worker(monkeypatch, _ODD_WORKER)


def test_a_photo_that_kills_or_hangs_costs_only_itself(odd_worker):
    names = ["a", "crash1", "b", "hang", "c", "crash2", "d", "e"]
    reasons = [inspection.reason for inspection in inspect_all(names)]
    assert reasons == [
        {
            "c": "crashes the decoder",
            "h": f"takes more than {SECONDS} s",
        }.get(name[0] if len(name) > 1 else "", "looked at")
        for name in names
    ]


def test_many_threads_may_ask_at_once(odd_worker):
    with (
        inspect.Inspector(MAX_PIXELS) as inspector,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(inspector.inspect, 20 * ["a", "crash", "b"]))
    reasons = [inspection.reason for inspection in found]
    assert reasons == 20 * ["looked at", "crashes the decoder", "looked at"]


def test_a_stopped_inspection_leaves_no_process_behind(odd_worker):
    with inspect.Inspector(MAX_PIXELS) as inspector:
        inspecting = inspector.inspect_all(["a", *100 * ["hang"]])
        next(inspecting)
        assert child_processes()
        start = time.monotonic()
        inspector.close()  # as Ctrl-C does
        assert time.monotonic() - start < 10  # and not 100 hangs later
    assert not child_processes()


def child_processes():
    """PIDs of the processes that this one has started and that still run."""
    children = []
    for status in Path("/proc").glob("[0-9]*/status"):
        # a process, unlike a thread, keeps its children to its end; one
        # that ends while the folder is read has no file any more
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if f"\nPPid:\t{os.getpid()}\n" in status.read_text():
                children.append(status.parent.name)
    return children


def test_a_process_that_cannot_be_started_blames_no_photo(monkeypatch):
    use_worker(monkeypatch, "raise SystemExit('no numpy')")
    with pytest.raises(RuntimeError, match="cannot be started: no numpy"):
        inspect_all(["a.jpg", "b.jpg"])


def test_what_tensorflow_cannot_decode_is_damaged(tmp_path):
    """Pillow takes it, and shows black where rows are missing."""
    (tmp_path / "a.png").write_bytes(png(9, 9, 8, 0, bytes(5 * 10)))
    (found,) = inspect_all([str(tmp_path / "a.png")])
    assert found.reason == "damaged (TensorFlow cannot decode it)"


def test_a_look_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    """The process ends itself, whatever its decoder is doing."""
    code = (
        "import signal, sys\n"
        "from thaw.data import inspect_worker\n"
        "inspect_worker.SECONDS = 1\n"
        "inspect_worker.pixels.decode = lambda contents: signal.pause()\n"
        "inspect_worker.main()\n"
    )
    use_worker(monkeypatch, code)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (found,) = inspect_all([str(tmp_path / "a.png")])
    assert found == Inspection(f"takes more than {SECONDS} s")


def test_memory_is_bounded(tmp_path, monkeypatch):
    """A small file that asks for much, within --max_pixels."""
    contents = io.BytesIO()
    Image.fromarray(np.zeros((9000, 9000), "uint8")).save(contents, "PNG")
    (tmp_path / "large.png").write_bytes(contents.getvalue())
    path = str(tmp_path / "large.png")
    (found,) = inspect_all([path], max_pixels=10**9)
    assert found.reason is None and found.width == 9000
    code = (
        "from thaw.data import inspect_worker\n"
        "inspect_worker._MEMORY = 500_000_000\n"
        "inspect_worker.main()\n"
    )
    use_worker(monkeypatch, code)
    (found,) = inspect_all([path], max_pixels=10**9)
    assert found == Inspection("takes too much memory")


def test_workers_start_from_any_folder(drawn_photos, tmp_path, monkeypatch):
    """Modules of the working folder are not imported in place of ours."""
    (tmp_path / "thaw.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "PIL.py").write_text("raise SystemExit('nor this one')")
    monkeypatch.chdir(tmp_path)
    (inspection,) = inspect_all([str(drawn_photos / "cat" / "0000.jpg")])
    assert inspection.reason is None


def test_workers_import_neither_tensorflow_nor_keras():
    code = (
        "import sys\n"
        "import thaw.data.inspect_worker\n"
        "print({'tensorflow', 'keras', 'scipy'} & set(sys.modules))\n"
    )
    printed = subprocess.check_output(
        [sys.executable, "-c", code], cwd=ROOT, text=True
    )
    assert printed == "set()\n"


def test_photos_are_read_before_tensorflow_is_imported(drawn_photos):
    code = f"""
import pathlib, sys, time
from thaw.data import inspect
from thaw.data.photos import Photos
from thaw.data.worker_process import WorkerProcess

def inspect_one(worker, path):
    inspections.append(original(worker, path))

inspections, original = [], WorkerProcess.inspect
WorkerProcess.inspect = inspect_one
paths = sorted(map(str, pathlib.Path({str(drawn_photos)!r}).glob("*/*.jpg")))
with inspect.started([Photos.unlabelled(paths)], None, 10**8):
    while len(inspections) < len(paths):
        time.sleep(0.01)
print([x.reason for x in inspections] == len(paths) * [None])
print("tensorflow" in sys.modules)
"""
    printed = subprocess.check_output(
        [sys.executable, "-c", code], cwd=ROOT, text=True, timeout=60
    )
    assert printed == "True\nFalse\n"


def test_an_inspection_that_is_given_up_leaves_no_process(drawn_photos):
    paths = sorted(map(str, drawn_photos.rglob("*.jpg")))
    with inspect.started([Photos.unlabelled(paths)], None, MAX_PIXELS):
        pass
    assert not child_processes()


def test_an_inspector_goes_on_with_the_next_photos(drawn_photos):
    paths = sorted(map(str, drawn_photos.glob("cat/*.jpg")))
    with inspect.Inspector(MAX_PIXELS) as inspector:
        for part in (paths[:8], paths[8:16]):
            photos = inspect.inspect_photos(
                Photos.unlabelled(part), inspector=inspector
            )
            assert photos.bad() == []


def test_a_stopped_inspector_blames_no_photo(odd_worker):
    with inspect.Inspector(MAX_PIXELS) as inspector:
        inspecting = inspector.inspect_all(["a", "hang", "b"])
        next(inspecting)
        inspector.close()
        with pytest.raises(RuntimeError, match="The inspector was stopped"):
            inspector.inspect("a")
