"""Handle of a worker process of `thaw.data.inspect_worker`."""

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from thaw.data import inspect_worker
from thaw.data.inspect_worker import Inspection

_ROOT = str(Path(__file__).parent.parent.parent)  # the folder with `thaw`


def command(max_pixels: int) -> list[str]:
    """Returns the command that starts a worker process."""
    # -P: modules in the working folder, which may be anybody's, don't count.
    module = ["-P", "-m", inspect_worker.__name__]
    return [sys.executable, *module, str(max_pixels)]


class WorkerProcess:
    """A process that inspects one photo at a time, restarted when it dies."""

    def __init__(self, max_pixels: int):
        """Starts nothing yet.

        Args:
            max_pixels: Photos with more pixels are not decoded.
        """
        self._command = command(max_pixels)
        self._process: Any = None
        self._stopped = False

    def inspect(self, path: str) -> Inspection:
        """Returns the answer of `inspect_file`, or why there was none.

        Raises:
            RuntimeError: If the process cannot be started, or was stopped.
        """
        if self._process is None and not self._stopped:
            self._start()
        if self._stopped:  # maybe while it was starting
            self.close()
            raise RuntimeError("The inspector was stopped.")
        path = os.fsencode(os.path.abspath(path))
        try:
            self._process.stdin.write(struct.pack("<I", len(path)) + path)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if line.endswith(b"\n"):
            return Inspection.from_json(line)
        status, _ = self._end()
        if hasattr(signal, "SIGALRM") and status == -signal.SIGALRM:
            return Inspection(f"takes more than {inspect_worker.SECONDS} s")
        return Inspection("crashes the decoder")

    def stop(self) -> None:
        """Ends the process for good, from another thread than it answers."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            self._end()

    def _start(self):
        # So that it imports the same `thaw`, wherever that is installed.
        folders = [_ROOT, os.environ.get("PYTHONPATH")]
        path = os.pathsep.join(filter(None, folders))
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        first_line = self._process.stdout.readline()
        if first_line != inspect_worker.READY and not self._stopped:
            _, said = self._end()
            raise RuntimeError(
                "The process that inspects photos cannot be started: "
                + said.decode(errors="replace")
            )

    def _end(self):
        """Returns the exit status, and the last output of the process."""
        process, self._process = self._process, None
        process.kill()
        _, said = process.communicate()
        return process.returncode, said
