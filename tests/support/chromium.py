"""Chromium without a window, led over its DevTools protocol, by a pipe."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

COMMAND = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--window-size=1100,900",
)


class Chromium:
    """One page; a context manager."""

    def __init__(self, folder: Path):
        """Starts it.

        Args:
            folder: Folder for its profile.
        """
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()

        def connect():  # it expects them to be 3 and 4, which may be taken
            ends = os.dup(their_in), os.dup(their_out)
            for number, end in zip((3, 4), ends, strict=True):
                os.dup2(end, number)

        self._process = subprocess.Popen(
            [COMMAND, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=connect,
        )
        os.close(their_in)
        os.close(their_out)
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session = {}
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(x for x in targets if x["type"] == "page")
        session = self.send(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )
        self._session = {"sessionId": session["sessionId"]}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, **params) -> dict:
        """Returns the result of a command."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        text = json.dumps(message | self._session).encode()
        os.write(self._out, text + b"\0")
        while (answer := self._read()).get("id") != number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def run(self, script: str):
        """Returns the value of a JavaScript expression, awaited."""
        result = self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait_for(self, script: str, seconds: float = 20):
        """Returns the value of an expression once it is truthy."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise TimeoutError(script)
            time.sleep(0.05)
        return value

    def open(self, url: str) -> None:
        """Loads a page."""
        self.send("Page.navigate", url=url)
        self.wait_for(
            "document.readyState === 'complete' && "
            "location.href !== 'about:blank'"
        )

    def choose(self, selector: str, paths: list) -> None:
        """Gives files to an `input`, as a person who chooses them."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)
        self.send(
            "DOM.setFileInputFiles",
            nodeId=node["nodeId"],
            files=[str(path) for path in paths],
        )

    def screenshot(self, path: Path) -> None:
        """Writes what is seen to a PNG file."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def _read(self):
        while b"\0" not in self._rest:
            block = os.read(self._in, 1 << 16)
            if not block:
                raise RuntimeError("Chromium has ended.")
            self._rest += block
        text, self._rest = self._rest.split(b"\0", 1)
        return json.loads(text)
