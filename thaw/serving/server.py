"""The HTTP server and its socket."""

import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import uvicorn

from thaw.errors import UserError


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; clients wait until it is served.

    Args:
        host: Name or address of this machine.
        port: Port; 0: any that is free.

    Raises:
        UserError: If host or port cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        is_dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        listener = socket.create_server(
            address[:2], family=family, dualstack_ipv6=is_dual
        )
    except (socket.gaierror, UnicodeError) as error:
        raise UserError(
            f"`host`: there is no '{host}'. Expected a name or address of this "
            "machine, e.g. 127.0.0.1, or 0.0.0.0 for all of its addresses."
        ) from error
    except OSError as error:
        text = f"Cannot listen at {host}, port {port}: "
        text += f"{os.strerror(error.errno)}."  # type: ignore[arg-type]  # of the OS
        if error.errno == errno.EADDRINUSE:
            text = (
                f"`port`: {port} is taken, perhaps by another serve.py. Give "
                f"another, e.g. `port={port + 1}`, or `port=0` for any."
            )
        raise UserError(text) from error
    # asyncio sends at once (TCP_NODELAY) where the socket is said to be TCP's.
    return socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach()
    )


def url_of(listener: socket.socket) -> str:
    """Returns the address of the page."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # all addresses of this machine
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def allowed_hosts(host: str, listener: socket.socket) -> list[str]:
    """Returns the names of this machine in requests, `*` where it has others.

    Args:
        host: Argument of `listen`.
        listener: Its result.
    """
    address = ipaddress.ip_address(listener.getsockname()[0])
    own = ["localhost", "127.0.0.1", "[::1]", host]
    return own if address.is_loopback else ["*"]


@contextlib.contextmanager
def serving(app, listener: socket.socket) -> Iterator[Future]:
    """Serves until the block ends, and then answers what has arrived.

    In a thread of its own: uvicorn would take over the signals of the main
    one, and that of a notebook has an event loop already.

    Args:
        app: ASGI application.
        listener: Result of `listen`.

    Yields:
        A future that is done if the server fails.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,  # that of the process
        proxy_headers=False,
        server_header=False,
        limit_concurrency=256,  # connections; the page tries again
        timeout_keep_alive=30,  # seconds
        timeout_graceful_shutdown=30,
    )
    server = uvicorn.Server(config)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.run, [listener])
        try:
            yield running
        finally:
            server.should_exit = True
    running.result()
