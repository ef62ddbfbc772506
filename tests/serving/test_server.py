import contextlib
import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from thaw.errors import UserError
from thaw.serving import handler, page, server
from thaw.serving.batcher import Busy

FACTS = {
    "run": "</script><b>",
    "classes": ["cat", "<b>dog</b>"],
    "backbone": None,
    "val_accuracy": None,
    "val_photos": None,
    "grad_cam": True,
    "max_megabytes": 1,
    "max_pixels": 100,
}


POST = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
)


class Model:
    """Says of each photo what is in its file, or does what is in it."""

    room = 3

    def __init__(self):
        self.started, self.go = threading.Event(), threading.Event()

    def predict(self, paths, names, top, with_pictures):
        return [
            self.row(path, name, top, with_pictures)
            for path, name in zip(paths, names, strict=True)
        ]

    def row(self, path, name, top, with_pictures):
        with open(path, "rb") as file:
            text = file.read().decode("latin-1")
        if text == "bad":
            return UserError("not an image")
        if text == "busy":
            raise Busy
        if text == "fail":
            raise MemoryError("/secret/path")
        if text == "wait":
            self.started.set()
            assert self.go.wait(10)
        return {"path": name, "text": text, "asked": [top, with_pictures]}


@contextlib.contextmanager
def serving(folder, host="127.0.0.1"):
    served = server.Server(host, 0)
    served.start(Model(), page.build_page(FACTS), FACTS, 1000, folder)
    try:
        yield served
    finally:
        served.stop()
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("uploads")) as served:
        yield served


def connect(served):
    host, port = served.server_address[:2]
    return http.client.HTTPConnection(host, port, timeout=10)


def ask(served, method, path, body=None, connection=None, **headers):
    """Returns status, content (of JSON its value) and headers."""
    connection = connection or connect(served)
    headers = {name.replace("_", "-"): x for name, x in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.headers["Content-Type"] == "application/json":
        content = json.loads(content or "null")
    return answer.status, content, answer.headers


def talk(served, text: bytes) -> bytes:
    """Returns all that is said to these bytes, until the connection ends."""
    with socket.create_connection(served.server_address, timeout=10) as client:
        client.sendall(text)
        said = b""
        while block := client.recv(1 << 16):
            said += block
        return said


def test_one_photo_is_an_object_and_a_form_a_list(served):
    status, row, _ = ask(served, "POST", "/predict", b"photo")
    assert status == 200
    assert row == {"path": None, "text": "photo", "asked": [None, False]}
    _, row, _ = ask(served, "POST", "/predict?top=2&grad_cam=1", b"photo")
    assert row["asked"] == [2, True]
    part = b'Content-Disposition: form-data; filename="%b"\r\n\r\n%b\r\n'
    form = b"".join(
        b"--x\r\n" + part % pair
        for pair in ((b"../a.jpg", b"1"), (b"b.jpg", b"bad"), (b"c", b"3"))
    )
    status, rows, _ = ask(
        served,
        "POST",
        "/predict",
        form + b"--x--",
        Content_Type="multipart/form-data; boundary=x",
    )
    assert status == 400
    assert rows == [
        {"path": "../a.jpg", "text": "1", "asked": [None, False]},
        {"path": "b.jpg", "error": "not an image"},
        {"path": "c", "text": "3", "asked": [None, False]},
    ]
    status, answer, _ = ask(
        served,
        "POST",
        "/predict",
        4 * (b"--x\r\n" + part % (b"a", b"1")) + b"--x--",
        Content_Type="multipart/form-data; boundary=x",
    )
    assert (status, answer) == (413, {"error": "At most 3 photos at a time."})


def test_a_bad_photo_costs_only_itself(served, capsys):
    connection = connect(served)
    for body, status, error in (
        (b"bad", 400, "not an image"),
        (b"fail", 500, "The server failed (MemoryError)."),
        (b"busy", 503, "Too many photos at the same time. Try again."),
    ):
        got = ask(served, "POST", "/predict", body, connection)
        assert (got[0], got[1]["error"]) == (status, error)
        assert got[2].get("Retry-After") == ("1" if status == 503 else None)
        assert got[2].get("Connection") is None
    status, row, _ = ask(served, "POST", "/predict", b"good", connection)
    assert (status, row["text"]) == (200, "good")
    assert "MemoryError: /secret/path" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("HEAD", "/predict", 405),
        ("PUT", "/predict", 405),
        ("DELETE", "/", 405),
        ("POST", "/", 405),
        ("OPTIONS", "/predict", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/", 404),
        ("BREW", "/", 501),
        ("POST", "/predict?topp=3", 400),
        ("POST", "/predict?top=0", 400),
        ("POST", "/predict?top=-1", 400),
        ("POST", "/predict?top=", 400),
        ("POST", f"/predict?top={5000 * '9'}", 400),
        ("POST", "/predict?grad_cam=yes", 400),
        ("POST", "/predict?" + 20 * "top=1&", 400),
        ("GET", "/" + 70_000 * "a", 414),
    ],
)
def test_what_is_asked_for_wrongly(served, method, path, status):
    got, answer, headers = ask(served, method, path)
    assert got == status
    if status != 501 and method != "HEAD":
        assert set(answer) == {"error"}
    if status == 405:
        allowed = "POST" if path == "/predict" else "GET, HEAD"
        assert headers["Allow"] == allowed


def test_all_answers_are_guarded(served):
    for method, path in (("GET", "/"), ("GET", "/x"), ("BREW", "/")):
        _, _, headers = ask(served, method, path)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Server"] == "Thaw"


def test_the_page_holds_names_as_text(served):
    status, content, headers = ask(served, "GET", "/")
    text = content.decode()
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    (known,) = re.findall(r'id="known">(.*?)</script>', text)
    assert "<" not in known
    assert json.loads(known) == FACTS
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert ask(served, "HEAD", "/")[1] == b""
    assert ask(served, "GET", "/health")[1] == FACTS


def test_other_names_and_other_sites_are_refused(served):
    for path in ("/", "/health", "/predict", "/nothing"):
        method = "POST" if path == "/predict" else "GET"
        status, answer, _ = ask(served, method, path, b"", Host="evil.example")
        assert status == 403
        assert "this machine only" in answer["error"]
    for fields in ({"Origin": "http://evil"}, {"Sec_Fetch_Site": "same-site"}):
        status, answer, _ = ask(served, "POST", "/predict", b"photo", **fields)
        assert status == 403
        assert "other sites" in answer["error"]
    host, port = served.server_address
    own = f"http://{host}:{port}"
    assert ask(served, "POST", "/predict", b"1", Origin=own)[0] == 200


def test_elsewhere_any_name_will_do(tmp_path):
    with serving(tmp_path, "0.0.0.0") as served:
        assert served.names is None
        port = served.server_address[1]
        assert served.url() == f"http://{socket.gethostname()}:{port}/"
        assert ask(served, "GET", "/health", Host="laptop.local")[0] == 200
        status, _, _ = ask(served, "POST", "/predict", Origin="http://evil")
        assert status == 403


def test_bodies_that_are_refused_unread(served):
    assert ask(served, "POST", "/predict", 1000 * b"1")[0] == 200
    status, answer, headers = ask(served, "POST", "/predict", 1001 * b"1")
    assert status == 413
    assert "at most 0.001 MB" in answer["error"]
    assert headers["Connection"] == "close"
    # More than the buffers between the two hold: the answer arrives still.
    assert ask(served, "POST", "/predict", 20_000_000 * b"1")[0] == 413
    status, answer, _ = ask(
        served, "POST", "/predict", iter([b"1", b"2"]), Transfer_Encoding="x"
    )
    assert status == 411


def test_a_client_that_asks_first_is_told_before_it_sends(served):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    )
    said = talk(served, head % 2000)
    assert said.startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(served.server_address, timeout=10) as client:
        client.sendall(head % 5)
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"photo")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"\x16\x03\x01 TLS\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 403),  # no host
        (b"GET http://[/ HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + 101 * b"A: b\r\n" + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + 70_000 * b"b" + b"\r\n\r\n", 431),
        (b"\x00\xff\r\n\r\n", 400),
    ],
)
def test_what_is_no_request(served, text, status):
    said = talk(served, text)
    first = said.split(b"\r\n")[0]
    assert b" %d " % status in first or b'"error"' in said
    assert ask(served, "GET", "/health")[0] == 200


@pytest.mark.parametrize(
    "text",
    [b"", b"GET / HTTP/1.1\r\n", POST % 99, POST % 99 + b"some"],
)
def test_slow_clients_are_not_waited_for(served, monkeypatch, text):
    monkeypatch.setattr(handler, "_HEAD_SECONDS", 0.3)
    monkeypatch.setattr(handler, "_BODY_SECONDS", 0.3)
    start = time.monotonic()
    said = b""
    with socket.create_connection(served.server_address, 0.05) as client:
        client.sendall(text)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < start + 5:
                with contextlib.suppress(TimeoutError):
                    block = client.recv(1000)
                    if not block:
                        break
                    said += block
                client.sendall(b"x")  # byte by byte it is no faster
    assert 0.2 < time.monotonic() - start < 5
    assert (b" 408 " in said) == text.startswith(b"POST")


def test_a_client_that_does_not_read_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(handler, "_SEND_SECONDS", 0.3)
    with (
        serving(tmp_path) as served,
        socket.create_connection(served.server_address, 10) as client,
    ):
        with contextlib.suppress(ConnectionError):  # more than buffers hold
            client.sendall(3000 * b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        end = time.monotonic() + 10
        for is_open in (False, True):  # first it is let in, then it is gone
            while bool(served._open) == is_open:
                assert time.monotonic() < end
                time.sleep(0.01)


def test_a_client_that_goes_away_leaves_nothing(tmp_path, capsys):
    head = POST % 4
    with serving(tmp_path) as served:
        for text in (head + b"wa", head + b"wait"):
            client = socket.create_connection(served.server_address, 10)
            client.sendall(text)
            if text.endswith(b"wait"):
                assert served.model.started.wait(10)
            client.close()
        served.model.go.set()
        end = time.monotonic() + 10
        while list(tmp_path.iterdir()):
            assert time.monotonic() < end
            time.sleep(0.01)
        status, row, _ = ask(served, "POST", "/predict", b"next")
        assert (status, row["text"]) == (200, "next")
    assert "Traceback" not in capsys.readouterr().err


def test_many_clients_each_get_what_is_theirs(served):
    def send(client):
        connection = connect(served)
        for number in range(8):
            text = f"{client}.{number}"
            body = text.encode()
            status, row, _ = ask(served, "POST", "/predict", body, connection)
            assert (status, row["text"]) == (200, text)
        return 8

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(send, range(64))) == 64 * 8


def test_more_connections_than_there_may_be_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 2)
    with serving(tmp_path) as served, ThreadPoolExecutor(1) as pool:
        idle = [
            socket.create_connection(served.server_address) for _ in range(2)
        ]
        third = pool.submit(ask, served, "GET", "/health")
        time.sleep(0.2)
        assert not third.done()
        idle[0].close()
        assert third.result()[0] == 200
        # The other one is still open when the server ends.
    idle[1].close()


def test_the_end_answers_what_has_arrived(tmp_path):
    served = server.Server("127.0.0.1", 0)
    served.start(Model(), page.build_page(FACTS), FACTS, 1000, tmp_path)
    idle = connect(served)
    assert ask(served, "GET", "/health", None, idle)[0] == 200
    with ThreadPoolExecutor(2) as pool:
        in_work = pool.submit(ask, served, "POST", "/predict", b"wait")
        assert served.model.started.wait(10)
        stopped = pool.submit(served.stop)
        time.sleep(0.2)
        assert not stopped.done()
        served.model.go.set()
        status, row, headers = in_work.result()
        stopped.result(timeout=10)  # the idle one is not waited for
    assert (status, row["text"]) == (200, "wait")
    assert headers["Connection"] == "close"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionError):
        socket.create_connection(served.server_address)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("no.such.host.invalid", "--host: there is no 'no.such.host.invalid'"),
        ("a" * 300, "--host: there is no"),
        ("192.0.2.1", "Cannot listen at 192.0.2.1"),
    ],
)
def test_hosts_that_cannot_be_had(host, message):
    with pytest.raises(UserError, match=message):
        server.Server(host, 0)


def test_a_port_that_is_taken():
    first = server.Server("127.0.0.1", 0)  # its model is still being read
    port = first.server_address[1]
    with pytest.raises(UserError, match=f"--port: {port} is taken"):
        server.Server("127.0.0.1", port)
    first.server_close()


def test_other_ways_to_write_this_machine(tmp_path):
    for host, url in (
        ("localhost", r"http://(127\.0\.0\.1|\[::1\]):\d+/"),
        ("::1", r"http://\[::1\]:\d+/"),
    ):
        try:
            with serving(tmp_path, host) as served:
                assert re.fullmatch(url, served.url())
                assert served.names == {host}
                assert ask(served, "GET", "/")[0] == 200
        except UserError:
            pytest.skip("no IPv6")
