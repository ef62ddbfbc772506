"""A job whose units do as they are told, for tests of Ray."""

import dataclasses
import os
import signal
import time
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class ScriptedJob:
    """A job that notes in a folder which units it did.

    Attributes:
        folder: Path of the folder.
        script: What units do, by number: `die`, `die once`, `fail`; of the
            others each takes `seconds`.
        seconds: Time of a unit.
        packages: Packages whose versions count.
    """

    folder: str
    script: dict[int, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    packages: tuple[str, ...] = ()
    same_device = True

    def start(self):
        """Returns the function that does a unit."""
        return self.do

    def do(self, unit):
        """Does a unit; returns its rows and its process."""
        begun = Path(self.folder, f"begun-{unit.number}")
        first_time = not begun.exists()
        with begun.open("a") as file:
            file.write(f"{os.getpid()}\n")
        action = self.script.get(unit.number)
        if action == "die" or action == "die once" and first_time:
            os.kill(os.getpid(), signal.SIGKILL)
        if action == "fail":
            raise ValueError("no such thing")
        time.sleep(self.seconds)
        Path(self.folder, f"done-{unit.number}").touch()
        return list(unit.rows), os.getpid()
