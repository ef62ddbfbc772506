import http.client
import json
import re
import signal
import socket
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from thaw.cli import app
from thaw.inference.predictions import predict
from thaw.run import Run
from thaw.serving import service


def ask(address, body):
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("POST", "/predict", body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.process
def test_the_script_serves_until_ctrl_c(
    trained_run, drawn_photos, tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = subprocess.Popen(
        [
            sys.executable,
            ROOT / "serve.py",
            trained_run,
            "--port=0",
            "--max_megabytes=2",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"Serving .* at http://(127.0.0.1:\d+)/  ", line)
        photo = drawn_photos / "cat" / "0000.jpg"
        blocks = iter(30 * [100_000 * b"1"])
        for body in (3_000_000 * b"1", blocks):  # with and without its length
            status, answer = ask(address[1], body)
            assert status == 413
            assert "at most 2 MB" in answer["error"]
        status, row = ask(address[1], photo.read_bytes())
        (expected,) = predict(Run(trained_run), photo)
        assert (status, row["predicted"]) == (200, expected.label)
        assert abs(row["probability"] - expected.probability) < 1e-6
        with socket.create_connection(address[1].split(":")) as client:
            client.sendall(b"\x16\x03\x01 TLS\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
        assert said == ("", "Stopping\n")
        assert process.returncode == 0
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()


def test_sigterm_ends_it_as_ctrl_c_does(trained_run, monkeypatch, capsys):
    monkeypatch.setattr(
        service, "wait", lambda *_: signal.raise_signal(signal.SIGTERM)
    )
    before = signal.getsignal(signal.SIGTERM)
    assert app.main("serve", ["serve.py", str(trained_run), "--port=0"]) == 0
    assert signal.getsignal(signal.SIGTERM) == before
    said = capsys.readouterr()
    assert " at http://127.0.0.1:" in said.out
    assert said.err == "Stopping\n"


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(
    tmp_path, capsys
):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        arguments = ["serve.py", str(tmp_path / "no run"), f"--port={port}"]
        assert app.main("serve", arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"serve.py: --port: {port} is taken")
    assert f"--port={port + 1}" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Expected one run folder"),
        (["nowhere", "--port=0"], "nowhere is not a run folder"),
        (["nowhere", "--port=70000"], "--port must be an integer from 0 to"),
    ],
)
def test_mistakes_are_said(arguments, message, capsys):
    assert app.main("serve", ["serve.py", *arguments]) == 2
    assert message in capsys.readouterr().err
