"""Looks at every photo once, before any time is spent on training."""

import json
import os
import selectors
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from input_pipeline.decode import decode_plain

MAX_PIXELS = 100_000_000
_SECONDS = 60  # for one photo
_ROOT = Path(__file__).parent.parent


class Found(NamedTuple):
    """What was found in a file: what it holds, or why it cannot be used."""

    digest: bytes | None  # its BLAKE2b hash, 16 bytes
    pixels: int | None
    look_hash: int | None  # of `pixels.look_hash`
    plain: bool | None  # `pixels.is_plain`
    reason: str | None = None


def check_photos(
    paths: Sequence[str], max_pixels: int = MAX_PIXELS
) -> list[Found]:
    """Returns what is found in each photo.

    Every file is decoded once, by Pillow in processes of its own: what makes
    one crash or hang costs that file only. What TensorFlow will decode, it
    decodes here, too.

    Args:
        paths: Paths of the photos.
        max_pixels: Photos with more pixels are not decoded.
    """
    found = [None] * len(paths)
    rows = iter(range(len(paths)))
    lock = threading.Lock()
    errors = []

    @tf.function(input_signature=[tf.TensorSpec((), "string")], autograph=False)
    def size(path):
        return tf.size(decode_plain(tf.io.read_file(path)))

    def look():
        looker = _Looker(max_pixels)
        try:
            while not errors:
                with lock:
                    row = next(rows, None)
                if row is None:
                    break
                path = os.fsencode(paths[row])
                found[row] = _judge(looker.look_at(path), path, size)
        except BaseException as error:
            errors.append(error)
        finally:
            looker.close()

    threads = [
        threading.Thread(target=look, daemon=True)
        for _ in range(min(os.cpu_count(), len(paths)))
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt as error:
        errors.append(error)  # the others stop, too
        raise
    if errors:
        raise errors[0]
    return found


def _judge(answer, path, size):
    if "reason" in answer:
        return Found(None, None, None, None, answer["reason"])
    if answer["plain"]:
        try:
            size(path)
        except tf.errors.OpError:  # its message is about its graph
            return Found(None, None, None, None, "damaged")
    return Found(
        bytes.fromhex(answer["digest"]),
        answer["pixels"],
        answer["look_hash"],
        answer["plain"],
    )


class _Looker:
    """A process of `input_pipeline.look`, started anew when it dies."""

    def __init__(self, max_pixels: int):
        self._command = [
            sys.executable, "-m", "input_pipeline.look", str(max_pixels)
        ]  # fmt: skip
        self._process = None

    def look_at(self, path: bytes) -> dict:
        """Returns the answer of `look.look_at`, or why there was none."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        path = os.path.abspath(path)
        try:
            self._process.stdin.write(struct.pack("<I", len(path)) + path)
            self._process.stdin.flush()
            line = self._read_line()
        except BrokenPipeError:
            line = b""
        if line is not None and line.endswith(b"\n"):
            return json.loads(line)
        self.close()
        if line is None:
            return {"reason": f"takes more than {_SECONDS} s"}
        return {"reason": "crashes the decoder"}

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _read_line(self):
        """Returns a line, what there was at the end, or None: no answer."""
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(_SECONDS):
                    return None
                part = os.read(self._process.stdout.fileno(), 1 << 16)
                if not part:
                    break
                line += part
        return line
