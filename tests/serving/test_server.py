import asyncio
import http.client
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from starlette.responses import Response

from thaw.errors import UserError
from thaw.serving.server import allowed_hosts, listen, serving, url_of


async def hello(scope, receive, send):
    await Response("hello")(scope, receive, send)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("no.such.host.invalid", "`host`: there is no 'no.such.host.invalid'"),
        ("a" * 300, "`host`: there is no"),
        ("192.0.2.1", "Cannot listen at 192.0.2.1, port 0: Cannot assign"),
    ],
)
def test_hosts_that_cannot_be_had(host, message):
    with pytest.raises(UserError, match=message):
        listen(host, 0)


def test_a_port_that_is_taken():
    with listen("127.0.0.1", 0) as first:  # its model is still being read
        port = first.getsockname()[1]
        with pytest.raises(UserError, match=f"`port`: {port} is taken"):
            listen("127.0.0.1", port)
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_is_served_under_its_own_names(host):
    try:
        listener = listen(host, 0)
    except UserError:
        pytest.skip("no IPv6")
    address, port = listener.getsockname()[:2]
    name = f"[{address}]" if ":" in address else address
    assert url_of(listener) == f"http://{name}:{port}/"
    hosts = allowed_hosts(host, listener)
    assert {name, host, "localhost"} <= set(hosts)
    assert "*" not in hosts
    with serving(hello, listener):
        assert urllib.request.urlopen(url_of(listener)).read() == b"hello"


def test_elsewhere_it_is_served_under_any_name():
    with listen("0.0.0.0", 0) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://{socket.gethostname()}:{port}/"
        assert allowed_hosts("0.0.0.0", listener) == ["*"]


def test_a_request_has_one_host():
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    with serving(hello, listener):
        for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
            with socket.create_connection(address, timeout=10) as client:
                client.sendall(b"GET / HTTP/1.1\r\n%b\r\n" % hosts)
                assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_the_end_answers_what_has_arrived():
    started, go = threading.Event(), threading.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/wait":
            started.set()
            await asyncio.to_thread(go.wait, 10)
        await hello(scope, receive, send)

    def ask(path, connection):
        connection.request("GET", path)
        return connection.getresponse().read()

    def connect():
        return http.client.HTTPConnection(*listener.getsockname(), timeout=10)

    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    idle = connect()
    with ThreadPoolExecutor(1) as pool:
        with serving(app, listener):
            assert ask("/", idle) == b"hello"
            in_work = pool.submit(ask, "/wait", connect())
            assert started.wait(10)
            threading.Timer(0.3, go.set).start()
        assert in_work.result(timeout=10) == b"hello"
    with pytest.raises(ConnectionError):
        socket.create_connection(address)


def test_a_server_that_fails_is_no_silent_one():
    listener = listen("127.0.0.1", 0)
    listener.close()
    with pytest.raises(OSError), serving(hello, listener) as running:
        wait([running], 10)
