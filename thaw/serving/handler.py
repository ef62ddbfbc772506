"""What the server says to a request: the page, its facts, or predictions."""

import io
import json
import re
import socket
import tempfile
import time
import traceback
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from thaw.errors import UserError
from thaw.serving import guard, uploads
from thaw.serving.batcher import Busy
from thaw.serving.guard import Refused

_METHODS = {
    "/": ("GET", "HEAD"),
    "/health": ("GET", "HEAD"),
    "/predict": ("POST",),
}
_HEAD_SECONDS = 30  # for a request's head, from the end of the one before;
_BODY_SECONDS = 120  # for its body;
_SEND_SECONDS = 60  # for the answer;
_LINGER_SECONDS = 2  # for what is still sent by a client that was refused
_RETRY_SECONDS = 1
_BLOCK = 1 << 16  # bytes


class Answer(NamedTuple):
    """Status, content and headers of an answer."""

    status: int
    content: bytes
    headers: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other.

    `server` is a `thaw.serving.server.Server`.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is written in two pieces

    def setup(self):
        super().setup()
        self._source = _UntilDeadline(self.connection)
        self.rfile = io.BufferedReader(self._source)

    def handle_one_request(self):
        self._source.deadline = time.monotonic() + _HEAD_SECONDS
        self._unread = False
        super().handle_one_request()

    def handle_expect_100(self):
        return True  # said once the body is wanted

    def send_error(self, code, message=None, explain=None):
        """Answers what cannot be read as a request."""
        self._unread = True
        self._send(_as_json(code, {"error": message or "Not HTTP."}))

    def version_string(self):
        return "Thaw"

    def log_message(self, format, *args):
        pass

    def _respond(self):
        self._unread = (
            self.headers.get("Content-Length", "0") != "0"
            or "Transfer-Encoding" in self.headers
        )
        try:
            answer = self._answer()
        except Refused as refused:
            answer = _as_json(
                refused.status, {"error": refused.message}, refused.headers
            )
        except TimeoutError:
            answer = _as_json(408, {"error": "The upload took too long."})
        except ConnectionError:  # the client went away
            self.close_connection = True
            return
        except Exception as error:
            traceback.print_exc()
            words = f"The server failed ({type(error).__name__})."
            answer = _as_json(500, {"error": words})
        try:
            self._send(answer)
        except OSError:  # it went away, or does not read
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _respond
    do_DELETE = do_OPTIONS = _respond

    def _answer(self):
        try:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query, True, max_num_fields=9))
        except ValueError as error:
            raise Refused(400, "The address cannot be read.") from error
        if self.server.names is not None:
            guard.check_host(self.headers, self.server.names)
        methods = _METHODS.get(url.path)
        if methods is None:
            raise Refused(404, "There is only /, /health and POST /predict.")
        if self.command not in methods:
            allowed = ", ".join(methods)
            raise Refused(405, f"{url.path} takes {allowed}.", Allow=allowed)
        if url.path == "/predict":
            guard.check_same_site(self.headers)
            return self._predict(query)
        if url.path == "/health":
            return _as_json(200, self.server.facts)
        kind = {"Content-Type": "text/html; charset=utf-8"}
        kind["Content-Security-Policy"] = self.server.page.policy
        return Answer(200, self.server.page.content, kind)

    def _predict(self, query):
        top, with_pictures = _read_query(query)
        length = uploads.length_of(self.headers, self.server.most_bytes)
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        self._source.deadline = time.monotonic() + _BODY_SECONDS
        with tempfile.TemporaryDirectory(dir=self.server.folder) as folder:
            sent = uploads.receive(self.rfile, length, self.headers, folder)
            self._unread = False
            one = isinstance(sent, uploads.Upload)
            rows = self._rows([sent] if one else sent, top, with_pictures)
        all_fine = not any(isinstance(row, UserError) for row in rows)
        rows = [
            {"path": upload.name, "error": str(row)}
            if isinstance(row, UserError)
            else row
            for upload, row in zip([sent] if one else sent, rows, strict=True)
        ]
        return _as_json(200 if all_fine else 400, rows[0] if one else rows)

    def _rows(self, sent, top, with_pictures):
        room = self.server.model.room
        if len(sent) > room:
            raise Refused(413, f"At most {room} photos at a time.")
        try:
            return self.server.model.predict(
                [upload.path for upload in sent],
                [upload.name for upload in sent],
                top,
                with_pictures,
            )
        except Busy as error:
            raise Refused(
                503,
                "Too many photos at the same time. Try again.",
                Retry_After=str(_RETRY_SECONDS),
            ) from error

    def _send(self, answer):
        if self._unread or self.server.stopping:
            self.close_connection = True
        self.connection.settimeout(_SEND_SECONDS)
        self.send_response(answer.status)
        for name, value in {
            "Content-Length": str(len(answer.content)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **answer.headers,
        }.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)
        if self._unread:
            self._linger()

    def _linger(self):
        """Reads what is still sent: else the answer may be lost with it."""
        self._source.deadline = time.monotonic() + _LINGER_SECONDS
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(_BLOCK):
                pass


class _UntilDeadline(io.RawIOBase):
    """Reads from a socket, until a deadline: bytes one by one end there, too.

    Attributes:
        deadline: In seconds of `time.monotonic`.
    """

    def __init__(self, connection):
        self.deadline = 0.0
        self._connection = connection

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def _read_query(query):
    """Returns `top`, None if it is not asked for, and whether pictures are."""
    top, grad_cam = query.pop("top", None), query.pop("grad_cam", "0")
    if query:
        raise Refused(400, "Expected ?top=3 or ?grad_cam=1, or both with &.")
    if top is not None and not re.fullmatch("[1-9][0-9]{0,8}", top):
        raise Refused(400, "top must be a number of classes, 1 or more.")
    if grad_cam not in ("0", "1"):
        raise Refused(400, "grad_cam must be 0 or 1.")
    return None if top is None else int(top), grad_cam == "1"


def _as_json(status, value, headers=None):
    content = json.dumps(value, indent=2).encode() + b"\n"
    kind = {"Content-Type": "application/json"}
    return Answer(status, content, kind | (headers or {}))
