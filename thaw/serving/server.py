"""The server: connections, how many there may be, and how it ends."""

import contextlib
import errno
import os
import socket
import socketserver
import sys
import threading
import traceback
from http.server import ThreadingHTTPServer

from thaw.errors import UserError
from thaw.serving import guard
from thaw.serving.handler import Handler
from thaw.serving.page import Page

_MOST_CONNECTIONS = 256  # those above wait to be let in


class Server(ThreadingHTTPServer):
    """Serves a model; a thread for each connection.

    Attributes:
        names: Host names that requests may be meant for; None: any.
        model: What predicts: `predict(paths, names, top, with_pictures)`
            returns a dict or a `UserError` for each photo, or raises `Busy`;
            `room` is the most photos at a time.
        page: The page.
        facts: What GET /health says.
        most_bytes: Of an upload.
        folder: Where uploads are, until they are answered.
        stopping: Whether no more requests are answered.
    """

    daemon_threads = False  # waited for at the end
    request_queue_size = 128
    # On Windows it would let two servers have one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, host: str, port: int):
        """Takes the port; who comes before `start` waits.

        Raises:
            UserError: If it cannot be had.
        """
        self.stopping = False
        self._free = threading.Semaphore(_MOST_CONNECTIONS)
        self._open = set()
        self._lock = threading.Lock()
        try:
            self.address_family, *_, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            super().__init__(address[:2], Handler, bind_and_activate=False)
            self.server_bind()
            # At once: until one listens, two may have the same port.
            self.server_activate()
        except (OSError, UnicodeError) as error:
            raise UserError(_why_not(host, port, error)) from error
        self.names = None
        if guard.is_loopback(self.server_address[0]):
            self.names = {host.lower()}

    def start(
        self, model, page: Page, facts: dict, most_bytes: int, folder: str
    ) -> None:
        """Answers from here on; the arguments are the attributes."""
        self.model, self.page, self.facts = model, page, facts
        self.most_bytes, self.folder = most_bytes, folder
        self._thread = threading.Thread(target=self.serve_forever, args=[0.1])
        self._thread.start()

    def stop(self) -> None:
        """Answers the requests that have arrived, and closes everything."""
        self.stopping = True
        self._end_reading()
        self.shutdown()
        self._end_reading()  # of those let in meanwhile
        self._thread.join()
        self.server_close()  # waits for the threads

    def url(self) -> str:
        """Returns the address of the page."""
        host, port = self.server_address[:2]
        if host in ("0.0.0.0", "::"):  # all addresses of this machine
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def server_bind(self):
        # That of HTTPServer asks a name server who this machine is.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request, client_address):
        self._free.acquire()
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)
        self._free.release()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # it went away
            traceback.print_exc()

    def _end_reading(self):
        """Lets every connection read what has arrived, and nothing more."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


def _why_not(host, port, error):
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return (
            f"--host: there is no '{host}'. Expected a name or address of this "
            "machine, e.g. 127.0.0.1, or 0.0.0.0 for all of its addresses."
        )
    if error.errno == errno.EADDRINUSE:
        return (
            f"--port: {port} is taken, perhaps by another serve.py. Give "
            f"another, e.g. --port={port + 1}, or --port=0 for any."
        )
    if error.errno == errno.EACCES:
        return (
            f"--port: {port} is not for everyone. Give one from 1024 on, e.g. "
            "--port=8000"
        )
    return f"Cannot listen at {host}, port {port}: {error.strerror}."
