"""TensorBoard event files, without the package tensorboard.

TensorFlow 2.21 does not bring it, and `tf.summary.scalar` needs it. A file is
a TFRecord file of `Event` messages (tensorflow/core/util/event.proto).
"""

import struct
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from thaw.errors import valid_utf8

_EPOCH_KEYS = ("loss", "accuracy", "val_loss", "val_accuracy")


class EventFile:
    """The history of one run, for TensorBoard.

    Files are written with Python's own calls: TensorFlow's report a full disk
    as too little memory. None is held open, so that TensorBoard sees every
    row at once, and a process that is killed leaves at worst a last record
    that is cut off, which readers skip.

    Wall times are those of writing: a resumed run writes all rows from before
    it was stopped at once.
    """

    def __init__(self, folder: str | Path):
        """Writes nothing yet.

        Args:
            folder: Path of the folder, made with the first file.
        """
        self._folder = Path(folder)
        self._path: Path | None = None
        self._num_epochs = self._num_steps = 0  # written so far

    def rewrite(self, history: Sequence[dict], steps: Sequence[dict]) -> None:
        """Removes the files of this run, and writes a new one.

        Args:
            history: Rows of all epochs so far, as in history.csv.
            steps: The same of steps.csv.

        Raises:
            OSError: If it cannot be written.
        """
        self._folder.mkdir(exist_ok=True)
        for old in self._folder.glob("events.out.tfevents.*.thaw"):
            old.unlink()
        self._path = (
            self._folder / f"events.out.tfevents.{int(time.time())}.thaw"
        )
        self._num_epochs = self._num_steps = 0
        # A TensorBoard that is running forgets, at START, what it had read.
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._write(
            [_event(0, file_version="brain.Event:2")]
            + [_event(1, session_log=start)]
        )
        self.add(history, steps)

    def add(self, history: Sequence[dict], steps: Sequence[dict]) -> None:
        """Writes the rows that are new; arguments as of `rewrite`."""
        if self._path is None:
            self.rewrite(history, steps)
            return
        events = [_step_event(row) for row in steps[self._num_steps :]]
        events += [_epoch_event(row) for row in history[self._num_epochs :]]
        self._write(events)
        self._num_epochs, self._num_steps = len(history), len(steps)

    def add_text(self, tag: str, lines: Sequence[str]) -> None:
        """Writes lines as a block of code."""
        # Four spaces are a block of code, whatever is in it.
        text = valid_utf8("".join(f"    {line}\n" for line in lines)).encode()
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "text"
        tensor = tf.make_tensor_proto([text], dtype=tf.string)
        self._write([_event(0, _value(tag, metadata=metadata, tensor=tensor))])

    def add_pictures(self, paths: Sequence[Path], step: int) -> None:
        """Writes PNG files, each under its name.

        Args:
            paths: Paths of the files.
            step: Epochs done when they were drawn.
        """
        for path in paths:
            content = path.read_bytes()
            width, height = struct.unpack(">II", content[16:24])  # of IHDR
            image = tf.compat.v1.Summary.Image(
                width=width, height=height, encoded_image_string=content
            )
            tag = f"pictures/{path.stem}"
            self._write([_event(step, _value(tag, image=image))])

    def _write(self, events):
        with open(self._path, "ab") as file:
            file.write(_as_records(events))


def _step_event(row):
    values = [
        _value(f"step/{key}", simple_value=row[key])
        for key in row
        if key == "loss" or key.startswith("rate_")
    ]
    return _event(row["step"], *values)


def _epoch_event(row):
    values = [
        _value(f"epoch/{key}", simple_value=row[key]) for key in _EPOCH_KEYS
    ]
    return _event(row["epoch"], *values)


def _value(tag, **content):
    return tf.compat.v1.Summary.Value(tag=tag, **content)


def _event(step, *values, **content):
    if values:
        content["summary"] = tf.compat.v1.Summary(value=values)
    return tf.compat.v1.Event(wall_time=time.time(), step=step, **content)


def _as_records(events):
    """Returns the content of a TFRecord file, made in TensorFlow's memory."""
    name = f"ram://{uuid.uuid4()}"
    with tf.io.TFRecordWriter(name) as writer:
        for event in events:
            writer.write(event.SerializeToString())
    with tf.io.gfile.GFile(name, "rb") as file:
        content = file.read()
    tf.io.gfile.remove(name)
    return content
