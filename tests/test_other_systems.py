"""Windows and macOS: what they lack is hidden here."""

import json
import os
import signal
import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.support.paths import ROOT
from thaw import atomic, device
from thaw.cli import app, signals
from thaw.data.inspect_worker import Inspection
from thaw.errors import Stopped

WORKER = """
import signal, sys
import encodings.idna, subprocess  # before the name of the system changes
sys.modules["resource"] = None
del signal.alarm
sys.platform = {platform!r}
from thaw.data import inspect_worker
inspect_worker.main()
"""


def without(module, **others):
    """Returns a module with other attributes, for one module alone."""
    return SimpleNamespace(**vars(module) | others)


def test_processors_are_counted_where_there_is_no_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert device.num_processors() == os.cpu_count()


def test_a_run_stops_where_terminals_do_not_hang_up(monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    with pytest.raises(Stopped) as stopped, signals.stop_on_signals():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.signal_number == signal.SIGTERM


def test_files_are_replaced_where_folders_cannot_be_flushed(
    monkeypatch, tmp_path
):
    def no_folders(path, flags):
        raise PermissionError(path)

    windows = without(os, name="nt", open=no_folders)
    monkeypatch.setattr(atomic, "os", windows)
    atomic.write_text(tmp_path / "text.txt", "some")
    atomic.write_text(tmp_path / "text.txt", "other")
    assert (tmp_path / "text.txt").read_text() == "other"
    assert os.listdir(tmp_path) == ["text.txt"]


def test_malloc_is_left_as_it_is_elsewhere(monkeypatch):
    monkeypatch.delenv("THAW_MALLOC", raising=False)
    monkeypatch.setattr(app, "sys", without(sys, platform="darwin"))
    app.keep_freed_memory()
    assert "THAW_MALLOC" not in os.environ


@pytest.mark.process
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_photos_are_inspected_without_limits(drawn_photos, platform):
    photo = os.fsencode(next(drawn_photos.glob("*/*.jpg")))
    done = subprocess.run(
        [sys.executable, "-c", WORKER.format(platform=platform), "1000000"],
        input=struct.pack("<I", len(photo)) + photo,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    inspection = Inspection(*json.loads(done.stdout.splitlines()[-1]))
    assert inspection.reason is None and inspection.width > 0
