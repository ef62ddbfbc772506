"""Looks at every photo once, before any time is spent on training."""

import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from input_pipeline import look
from input_pipeline.decode import decode_plain
from input_pipeline.look import Found

_ROOT = Path(__file__).parent.parent


def check_photos(
    paths: Sequence[str], max_pixels: int
) -> Iterator[tuple[int, Found]]:
    """Yields (row, what is found) of each photo, in the order they are done.

    Every file is decoded once, by Pillow in processes of its own: what makes
    one crash or hang costs that file only. What TensorFlow will decode, it
    decodes here, too.

    Args:
        paths: Paths of the photos.
        max_pixels: Photos with more pixels are not decoded.
    """
    rows = queue.SimpleQueue()
    for row in range(len(paths)):
        rows.put(row)
    results = queue.SimpleQueue()
    size = _size_of_plain()

    def look_at_all(looker):
        try:
            while True:
                row = rows.get_nowait()
                path = os.fsencode(paths[row])
                results.put((row, _judge(looker.look_at(path), path, size)))
        except queue.Empty:
            pass
        except BaseException as error:  # raised where it is waited for
            results.put(error)
        finally:
            looker.close()

    lookers = [
        _Looker(max_pixels) for _ in range(min(os.cpu_count(), len(paths)))
    ]
    threads = [
        threading.Thread(target=look_at_all, args=[looker], daemon=True)
        for looker in lookers
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in paths:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    except BaseException:  # Ctrl-C, too
        while not rows.empty():
            rows.get()
        for looker in lookers:
            looker.kill()
        raise
    finally:
        for thread in threads:
            thread.join()


def _size_of_plain():
    @tf.function(input_signature=[tf.TensorSpec((), "string")], autograph=False)
    def size(path):
        return tf.size(decode_plain(tf.io.read_file(path)))

    return size


def _judge(found, path, size):
    if found.plain:
        try:
            size(path)
        except tf.errors.OpError:  # its message is about its graph
            return Found("damaged (TensorFlow cannot decode it)", found.digest)
    return found


class _Looker:
    """A process of `input_pipeline.look`, started anew when it dies."""

    def __init__(self, max_pixels: int):
        self._command = [
            sys.executable, "-m", "input_pipeline.look", str(max_pixels)
        ]  # fmt: skip
        self._process = None

    def look_at(self, path: bytes) -> Found:
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
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if line.endswith(b"\n"):
            return Found(*json.loads(line))
        status = self.close()
        if hasattr(signal, "SIGALRM") and status == -signal.SIGALRM:
            return Found(f"takes more than {look.SECONDS} s")
        return Found("crashes the decoder")

    def close(self) -> int | None:
        """Ends the process; returns its exit status, if there was one."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        process.communicate()
        return process.returncode

    def kill(self) -> None:
        """Kills the process, from another thread than the one it answers."""
        process = self._process
        if process is not None:
            process.kill()
