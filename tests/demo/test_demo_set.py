import hashlib

import numpy as np
import pytest
from PIL import Image

from thaw.demo.demo_set import draw_demo_set, load_demo_set


def contents(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).digest()
        for path in folder.glob("*/*.jpg")
    }


def test_the_same_seed_draws_the_same_files(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        draw_demo_set(tmp_path / name, photos_per_class=3, seed=seed)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_photos_are_varied_jpeg_files_of_96_to_150_pixels(drawn_photos):
    photos = [Image.open(path) for path in drawn_photos.glob("*/*.jpg")]
    assert len(photos) == 48
    assert {photo.format for photo in photos} == {"JPEG"}
    sides = [side for photo in photos for side in photo.size]
    assert min(sides) >= 96 and max(sides) <= 150
    brightness = [np.asarray(photo).mean() for photo in photos]
    assert np.std(brightness) > 20


def test_the_set_is_drawn_once_and_never_half(tmp_path, monkeypatch):
    import thaw.demo.demo_set as demo_set

    monkeypatch.setattr(demo_set, "PHOTOS_PER_CLASS", 3)

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo_set.drawing, "draw_photo", stop)
        with pytest.raises(KeyboardInterrupt):
            load_demo_set(tmp_path)
    assert list(tmp_path.iterdir()) == []
    folder = load_demo_set(tmp_path)
    assert len(contents(folder)) == 6
    modified = {path: path.stat().st_mtime_ns for path in folder.glob("*/*")}
    assert load_demo_set(tmp_path) == folder
    for path, time in modified.items():
        assert path.stat().st_mtime_ns == time
