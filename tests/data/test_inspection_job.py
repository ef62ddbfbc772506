import os

import pytest

from thaw.data import MAX_PIXELS
from thaw.data.inspect import inspect_photos
from thaw.data.inspection_job import InspectionJob
from thaw.data.photos import Photos
from thaw.errors import UserError
from thaw.work.units import Unit


def test_a_unit_is_inspected_as_in_one_process(drawn_photos, monkeypatch):
    paths = sorted(map(str, drawn_photos.rglob("*.jpg")))[:6]
    expected = inspect_photos(Photos.unlabelled(paths)).inspections
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    inspect = InspectionJob(paths, MAX_PIXELS).start()
    assert inspect(Unit(0, 0, range(1, 4))) == list(expected[1:4])
    assert inspect(Unit(1, 0, range(5, 6))) == list(expected[5:])


def test_a_worker_that_does_not_see_the_photos_is_refused(tmp_path):
    path = os.path.join(tmp_path, "photo.jpg")
    with pytest.raises(UserError, match="doesn't see the photo .*photo.jpg"):
        InspectionJob([path], MAX_PIXELS).start()
