import http.client
import importlib.util
import json
import os
import re
import signal
import socket
import tempfile

import pytest

from thaw.errors import UserError
from thaw.run import Run
from thaw.serving import service
from thaw.serving.service import serve


def ctrl_c(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_run_is_served_until_it_is_stopped(
    host, trained_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def signals():
        return [signal.getsignal(x) for x in signal.valid_signals()]

    before = signals()

    def say(text):  # it is served now
        pattern = r"Serving (.*) at http://(.*):(\d+)/  \(Ctrl-C to stop\)"
        run_dir, name, port = re.fullmatch(pattern, text).groups()
        assert run_dir == str(trained_run)
        assert (name == host) == (host == "127.0.0.1")
        connection = http.client.HTTPConnection("127.0.0.1", int(port))
        connection.request("GET", "/health")
        facts = json.loads(connection.getresponse().read())
        assert facts == {
            "run": trained_run.name,
            "classes": ["cat", "dog"],
            "backbone": "vgg16_tiny",
            "val_accuracy": pytest.approx(Run(trained_run).val_accuracy),
            "val_photos": facts["val_photos"],
            "grad_cam": True,
            "max_megabytes": 2,
            "max_pixels": 10**6,
        }
        assert os.listdir(tmp_path) != []
        assert signals() == before

    monkeypatch.setattr(service, "say", say)
    monkeypatch.setattr(service, "wait", ctrl_c)
    serve(
        Run(trained_run),
        host=host,
        port=0,
        max_megabytes=2,
        max_pixels=10**6,
    )
    assert signals() == before
    *warnings, last = capsys.readouterr().err.splitlines()
    assert last == "Stopping"
    assert len(warnings) == (host != "127.0.0.1")
    assert all("there is no password" in text for text in warnings)
    assert os.listdir(tmp_path) == []


def test_a_run_without_a_model_frees_the_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    for _ in range(2):
        with pytest.raises(UserError, match="not a run folder"):
            serve(Run(tmp_path), port=port)


@pytest.mark.parametrize(
    "package", ["starlette", "uvicorn", "python_multipart"]
)
def test_packages_that_are_missing(package, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda x: None if x == package else find(x)
    )
    with pytest.raises(UserError) as error:
        serve(Run(tmp_path))
    assert str(error.value) == (
        f"serve.py needs {package}: pip install -e '.[serve]'"
    )
