"""The web application: the page, its facts, and predictions."""

import asyncio
import json
import os
import re
import shutil
import tempfile

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from thaw.serving.batcher import Busy
from thaw.serving.page import build_page

_READ_SECONDS = 15  # without anything of an upload
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def build_app(model, facts: dict, folder: str, hosts: list[str]) -> Starlette:
    """Returns the application.

    A page of another site, open in the same browser, can send requests to
    servers on this machine as well: under its own name (`Origin`,
    `Sec-Fetch-Site`), or, if its name points to 127.0.0.1, as if they were its
    own (DNS rebinding), which then is the name in `Host`. Both are refused.

    Args:
        model: `ServedModel`, or an object with its `predict` and `room`.
        facts: Answer to GET /health, which the page shows. `max_megabytes` is
            the size of the largest upload.
        folder: Folder of uploads, until they are answered.
        hosts: Names that requests may be meant for; `*`: any.
    """
    page, policy = build_page(facts)
    megabytes = facts["max_megabytes"]
    # One for each request in work, and one that finds no room.
    threads = CapacityLimiter(model.room + 1)

    async def show_page(request):
        headers = _HEADERS | {"Content-Security-Policy": policy}
        return Response(page, headers=headers, media_type="text/html")

    async def show_facts(request):
        return _as_json(200, facts)

    async def predict(request):
        _check_same_site(request.headers)
        top, with_pictures = _read_query(dict(request.query_params))
        with tempfile.TemporaryDirectory(dir=folder) as uploads:
            photos = await _receive(_limited(request, megabytes), uploads)
            if len(photos) > model.room:
                text = f"At most {model.room} photos at a time."
                raise HTTPException(413, text)
            try:
                rows = await to_thread.run_sync(
                    model.predict, photos, top, with_pictures, limiter=threads
                )
            except Busy as error:
                text = "Too many photos at the same time. Try again."
                raise HTTPException(503, text, {"Retry-After": "1"}) from error
        # A class may be called `error`; a prediction has more than that.
        status = 200 if all("predicted" in row for row in rows) else 400
        is_form = photos[0][1] is not None
        return _as_json(status, rows if is_form else rows[0])

    return Starlette(
        routes=[
            Route("/", show_page),
            Route("/health", show_facts),
            Route("/predict", predict, methods=["POST"]),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, hosts, www_redirect=False)
        ],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )


def _check_same_site(headers):
    """Refuses pages of other sites. Other programs send neither header."""
    host = headers.get("Host", "").lower()
    site = headers.get("Sec-Fetch-Site", "none")
    if site not in ("same-origin", "none") or any(
        origin.partition("://")[2].lower() != host
        for origin in headers.getlist("Origin")
    ):
        text = "Pages of other sites may not send photos here."
        raise HTTPException(403, text)


def _read_query(query):
    """Returns `top`, or None, and whether pictures are asked for."""
    top, grad_cam = query.pop("top", None), query.pop("grad_cam", "0")
    is_number = top is None or re.fullmatch("[1-9][0-9]{0,8}", top)
    if query or not is_number or grad_cam not in ("0", "1"):
        text = "Expected ?top=3 (1 or more) or ?grad_cam=1, or both with &."
        raise HTTPException(400, text)
    return top and int(top), grad_cam == "1"


def _limited(request, megabytes):
    """Returns the request, with a body that is refused once it is too large.

    Starlette's own `max_body_size` doesn't say which size is allowed, and
    answers in plain text.
    """
    text = f"Too large: at most {megabytes} MB can be sent"
    too_large = HTTPException(413, f"{text} (option max_megabytes).")
    left = int(1_000_000 * megabytes)
    if int(request.headers.get("Content-Length", 0)) > left:
        raise too_large  # before the client, if it asks first, sends the body

    async def receive():
        nonlocal left
        async with asyncio.timeout(_READ_SECONDS):
            message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large
        return message

    return Request(request.scope, receive)


async def _receive(request, folder):
    """Returns (path, name) of each photo; name is None where there's no form.

    The client's name for a photo is never used as a path.
    """
    try:
        kind = request.headers.get("Content-Type", "").lower()
        if kind.startswith("multipart/form-data"):
            return await _receive_form(request, folder)
        path = os.path.join(folder, "body")
        with open(path, "wb") as file:
            async for block in request.stream():
                file.write(block)
        return [(path, None)]
    except ClientDisconnect as error:
        raise HTTPException(400, "The upload ended early.") from error
    except TimeoutError as error:
        raise HTTPException(408, "The upload took too long.") from error


async def _receive_form(request, folder):
    photos = []
    async with request.form() as form:
        for _, part in form.multi_items():
            if isinstance(part, UploadFile) and part.filename:
                path = os.path.join(folder, str(len(photos)))
                with open(path, "wb") as file:
                    await run_in_threadpool(shutil.copyfileobj, part.file, file)
                photos.append((path, part.filename))
    if not photos:
        text = "No photo in the form. Expected e.g. curl -F photo=@cat.jpg"
        raise HTTPException(400, text)
    return photos


async def _refuse(request, error):
    text = error.detail
    if error.status_code == 404:
        text = "Not found. Available: /, /health and POST /predict."
    return _as_json(error.status_code, {"error": text}, error.headers)


async def _fail(request, error):
    text = f"The server failed ({type(error).__name__})."
    return _as_json(500, {"error": text})


def _as_json(status, value, headers=None):
    content = json.dumps(value, indent=2) + "\n"
    headers = {**_HEADERS, **(headers or {})}
    return Response(content, status, headers, "application/json")
