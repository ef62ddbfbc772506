import gc
import resource
from pathlib import Path

import numpy as np
import tensorflow as tf

from thaw.data import resized
from thaw.data.load import load_photos
from thaw.data.resized import ResizedPhotos, has_room
from thaw.data.views import PhotoViews

SIZE = 16


def test_views_are_the_same_and_photos_are_loaded_once(
    drawn_photos, monkeypatch
):
    photos = load_photos(drawn_photos)[0].take(range(5))
    loads = []

    def resize(image):
        tf.py_function(lambda: loads.append(1), [], [])
        return tf.image.resize(image, (SIZE, SIZE))

    views = PhotoViews(photos, resize, SIZE)
    kept = PhotoViews(photos, resize, SIZE, kept=ResizedPhotos(SIZE))
    rows = np.array([3, 0, 4])
    (expected,) = views.images(0, rows, 3).as_numpy_iterator()
    loads.clear()
    for view in range(3):
        (images,) = kept.images(view, rows, 3).as_numpy_iterator()
        np.testing.assert_array_equal(images, expected)
    assert len(loads) == 3


def memory():
    """Returns the bytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_they_are_freed_with_their_views():
    def use_memory():
        photos = ResizedPhotos(256)
        for row in range(64):  # 50 MB
            photos.get(
                tf.constant(row, "int64"), lambda: tf.ones((256, 256, 3))
            )

    use_memory()
    gc.collect()
    before = memory()
    for _ in range(8):
        use_memory()
    gc.collect()
    assert memory() - before < 150e6


def test_there_is_room_for_a_quarter_of_the_memory(monkeypatch, tmp_path):
    information = tmp_path / "meminfo"
    information.write_text("MemTotal: 9 kB\nMemAvailable:   1200000 kB\n")
    monkeypatch.setattr(resized, "Path", lambda _: information)
    assert has_room(500, 224)  # 301 MB of 307
    assert not has_room(520, 224)
    information.write_text("MemAvailable: 999999999 kB\n")
    assert has_room(4982, 224) and not has_room(4983, 224)  # 3 GB
    information.unlink()
    assert not has_room(1, 224)
