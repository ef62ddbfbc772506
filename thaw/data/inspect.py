"""Looks at every photo once, before any time is spent on training."""

import contextlib
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

from thaw.data import inspect_worker
from thaw.data.decode import decode_plain
from thaw.data.inspect_worker import Found

_ROOT = Path(__file__).parent.parent.parent


def check_photos(
    paths: Sequence[str], max_pixels: int
) -> Iterator[tuple[int, Found]]:
    """Yields (row, what is found) of each photo, as `Checker.check` does.

    Args:
        paths: Paths of the photos.
        max_pixels: Photos with more pixels are not decoded.
    """
    with contextlib.closing(Checker(max_pixels)) as checker:
        yield from checker.check(paths)


class Checker:
    """Looks at photos; its processes wait for the next until it is closed.

    Any number of threads may ask at the same time.
    """

    def __init__(self, max_pixels: int):
        """Starts nothing yet.

        Args:
            max_pixels: Photos with more pixels are not decoded.
        """
        command = _command(max_pixels)
        self._lookers = [_Looker(command) for _ in range(os.cpu_count())]
        self._free = queue.SimpleQueue()  # those of them without a photo
        for looker in self._lookers:
            self._free.put(looker)
        self._stopped = False
        self._size = _size_of_plain()

    def look_at(self, path: str) -> Found:
        """Returns what is found in one photo, once a process is free for it.

        The file is decoded once, by Pillow in a process of its own: what makes
        it crash or hang costs that file only. What TensorFlow will decode, it
        decodes here, too.

        Args:
            path: Path of the photo.

        Raises:
            RuntimeError: If the process cannot be started.
        """
        path = os.fsencode(path)
        looker = self._free.get()
        try:
            return _judge(looker.look_at(path), path, self._size)
        finally:
            self._free.put(looker)

    def check(self, paths: Sequence[str]) -> Iterator[tuple[int, Found]]:
        """Yields (row, `look_at`) of photos, in the order they are done.

        Args:
            paths: Paths of the photos.
        """
        rows = queue.SimpleQueue()
        for row in range(len(paths)):
            rows.put(row)
        results = queue.SimpleQueue()

        def look_at_all():
            try:
                while not self._stopped:
                    row = rows.get_nowait()
                    results.put((row, self.look_at(paths[row])))
            except queue.Empty:
                pass
            except BaseException as error:  # raised where it is waited for
                results.put(error)

        threads = [
            threading.Thread(target=look_at_all, daemon=True)
            for _ in self._lookers[: len(paths)]
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
            self._stopped = True
            for looker in self._lookers:
                looker.stop()
            raise
        finally:
            for thread in threads:
                thread.join()

    def close(self) -> None:
        """Ends the processes."""
        for looker in self._lookers:
            looker.close()


def _size_of_plain():
    @tf.function(input_signature=[tf.TensorSpec((), "string")], autograph=False)
    def size(path):
        return tf.size(decode_plain(tf.io.read_file(path)))

    return size


def _judge(found, path, size):
    if found.plain:
        try:
            size(path)
        except tf.errors.OpError:
            # Pillow takes e.g. a PNG of which half the rows are missing.
            return Found("damaged (TensorFlow cannot decode it)", found.digest)
    return found


def _command(max_pixels):
    return [sys.executable, "-m", "thaw.data.inspect_worker", str(max_pixels)]


class _Looker:
    """A process of `thaw.data.inspect_worker`, started anew when it dies.

    Attributes:
        stopped: Whether it was told to start no more.
    """

    def __init__(self, command: Sequence[str]):
        self.stopped = False
        self._command = command
        self._process = None

    def look_at(self, path: bytes) -> Found:
        """Returns the answer of `look.look_at`, or why there was none.

        Raises:
            RuntimeError: If the process cannot be started.
        """
        if self._process is None:
            self._start()
        if self.stopped:  # while it was starting
            self._process.kill()
        path = os.path.abspath(path)
        try:
            self._process.stdin.write(struct.pack("<I", len(path)) + path)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if line.endswith(b"\n"):
            return Found(*json.loads(line))
        status, _ = self._end()
        if hasattr(signal, "SIGALRM") and status == -signal.SIGALRM:
            return Found(f"takes more than {inspect_worker.SECONDS} s")
        return Found("crashes the decoder")

    def stop(self) -> None:
        """Ends the process, from another thread than the one it answers."""
        self.stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            self._end()

    def _start(self):
        self._process = subprocess.Popen(
            self._command,
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if (
            self._process.stdout.readline() != inspect_worker.READY
            and not self.stopped
        ):
            _, said = self._end()
            raise RuntimeError(
                "The process that looks at photos cannot be started: "
                + said.decode(errors="replace")
            )

    def _end(self):
        """Returns the exit status, and what the process said in the end."""
        process, self._process = self._process, None
        process.kill()
        _, said = process.communicate()
        return process.returncode, said
