import csv
import resource
import signal
import struct

import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf

import thaw
from tests.support.interrupted import QUICK, Killed, at_call, kill
from thaw.runs.event_file import EventFile
from thaw.training.interruption import request_stop

STEPS = [
    {"stage": "head", "step": 5, "loss": 0.9, "rate_head": 1e-3},
    {"stage": "head", "step": 10, "loss": 0.7, "rate_head": 5e-4},
    {
        "stage": "fine_tune", "step": 15, "loss": 0.6,
        "rate_head": 1e-5, "rate_upper": 1e-6, "rate_lower": 1e-7,
    },
]  # fmt: skip
HISTORY = [
    {
        "stage": stage, "epoch": epoch, "seconds": 1.0, "loss": 1 / epoch,
        "accuracy": 0.5, "val_loss": 0.4 / epoch, "val_accuracy": 0.75,
        "learning_rate": 1e-3,
    }
    for epoch, stage in ((1, "head"), (2, "fine_tune"))
]  # fmt: skip


def events(folder):
    """Returns the messages of the one file, its checksums checked."""
    (path,) = folder.iterdir()
    return [
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]


def points(folder):
    """Returns {tag: [(step, value), ...]} of the scalars."""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append(
                    (event.step, value.simple_value)
                )
    return found


def rounded(pairs):
    return [(int(step), float(np.float32(value))) for step, value in pairs]


def test_every_row_is_there_once(tmp_path):
    file = EventFile(tmp_path / "tensorboard")
    file.add(HISTORY[:1], STEPS[:2])
    file.add(HISTORY, STEPS)
    file.add(HISTORY, STEPS)  # nothing new
    found = points(tmp_path / "tensorboard")
    assert set(found) == {
        "epoch/loss", "epoch/accuracy", "epoch/val_loss", "epoch/val_accuracy",
        "step/loss", "step/rate_head", "step/rate_upper", "step/rate_lower",
    }  # fmt: skip
    assert found["step/loss"] == rounded([(5, 0.9), (10, 0.7), (15, 0.6)])
    assert found["step/rate_lower"] == rounded([(15, 1e-7)])
    assert found["epoch/val_loss"] == rounded([(1, 0.4), (2, 0.2)])
    first, second, *_ = events(tmp_path / "tensorboard")
    assert first.file_version == "brain.Event:2"
    assert second.session_log.status == tf.compat.v1.SessionLog.START


def test_rewritten_it_holds_what_it_is_given_and_nothing_else(tmp_path):
    folder = tmp_path / "tensorboard"
    EventFile(folder).add(HISTORY, STEPS)
    (folder / "events.out.tfevents.1.thaw").write_bytes(b"older")
    file = EventFile(folder)
    file.rewrite(HISTORY[:1], STEPS[:2])
    file.add(HISTORY, STEPS[:2])
    found = points(folder)
    assert [step for step, _ in found["epoch/loss"]] == [1, 2]
    assert [step for step, _ in found["step/loss"]] == [5, 10]


def test_a_new_run_removes_only_what_is_its_own(tmp_path):
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"another's")
    (tmp_path / "events.out.tfevents.1.thaw").write_bytes(b"older")
    EventFile(tmp_path).add([], [])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert "events.out.tfevents.1.host" in names and len(names) == 2


def test_pictures_and_text_are_in_it(tmp_path):
    picture = tmp_path / "loss.png"
    matplotlib.image.imsave(picture, np.zeros((20, 30, 3)))
    file = EventFile(tmp_path / "tensorboard")
    file.add(HISTORY, STEPS)
    file.add_text("flags", ["--data=a`b|<script>\udcff", "--epochs=5"])
    file.add_pictures([picture], step=2)
    *_, flags, image = events(tmp_path / "tensorboard")
    assert flags.summary.value[0].metadata.plugin_data.plugin_name == "text"
    (text,) = tf.make_ndarray(flags.summary.value[0].tensor)
    assert text == b"    --data=a`b|<script>?\n    --epochs=5\n"
    assert image.step == 2 and image.summary.value[0].tag == "pictures/loss"
    shown = image.summary.value[0].image
    assert (shown.width, shown.height) == (30, 20)
    assert shown.encoded_image_string == picture.read_bytes()


def test_a_file_that_is_cut_off_can_be_read_up_to_there(tmp_path):
    EventFile(tmp_path).add(HISTORY, STEPS)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    path.write_bytes(whole[: 12 + length + 4 + 20])
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    assert b"brain.Event:2" in next(records)
    with pytest.raises(tf.errors.DataLossError, match="truncated"):
        next(records)


def test_a_full_disk_is_an_error_of_the_disk(tmp_path):
    """As it is where the run folder is written; not one of TensorFlow's."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            EventFile(tmp_path).add([], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def check_run(folder):
    """Checks that the points are those of history.csv and steps.csv."""
    found = points(folder / "tensorboard")
    for name, kind, key in (
        ("history.csv", "epoch", "epoch"), ("steps.csv", "step", "step"),
    ):  # fmt: skip
        with open(folder / name, newline="") as file:
            rows = list(csv.DictReader(file))
        for tag in [tag for tag in found if tag.startswith(f"{kind}/")]:
            column = tag.removeprefix(f"{kind}/")
            assert found.pop(tag) == rounded(
                (row[key], row[column]) for row in rows if row[column]
            )
    assert not found


@pytest.mark.slow
def test_a_run_that_was_stopped_twice_has_every_point_once(tmp_path):
    run_dir = tmp_path / "run"
    options = {"run_dir": run_dir, "verify": False, "verbose": 0}
    place = ("thaw.training.loop", "_validate")
    # In the last epoch, after the one before it was written; then in it, so
    # that a picture and points of an epoch that is half done are there.
    with at_call(*place, 3, kill), pytest.raises(Killed):
        thaw.fine_tune(**options, **QUICK)
    assert points(run_dir / "tensorboard")["epoch/loss"][-1][0] == 2
    with at_call(*place, 1, lambda: request_stop(signal.SIGTERM)):
        with pytest.raises(thaw.Stopped):
            thaw.fine_tune(resume=True, **options)
    assert points(run_dir / "tensorboard")["epoch/loss"][-1][0] == 2
    thaw.fine_tune(resume=True, **options)
    check_run(run_dir)
    pictures = [
        value
        for event in events(run_dir / "tensorboard")
        for value in event.summary.value
        if value.HasField("image")
    ]
    assert {x.tag.removeprefix("pictures/") for x in pictures} == {
        path.stem for path in run_dir.glob("*.png")
    }
