import asyncio
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from thaw.serving import app as serving_app
from thaw.serving.app import build_app
from thaw.serving.batcher import Busy

FACTS = {
    "run": "</script><b>",
    "classes": ["cat", "<b>dog</b>"],
    "backbone": None,
    "val_accuracy": None,
    "val_photos": None,
    "grad_cam": True,
    "max_megabytes": 0.001,
    "max_pixels": 100,
}
HOSTS = ["localhost", "127.0.0.1", "[::1]", "laptop"]


class Model:
    """Says of each photo what is in its file, or does what is in it."""

    room = 4

    def __init__(self):
        self.started, self.go = threading.Event(), threading.Event()

    def predict(self, photos, top, with_pictures):
        return [self.row(*photo, top, with_pictures) for photo in photos]

    def row(self, path, name, top, with_pictures):
        with open(path, "rb") as file:
            text = file.read().decode("latin-1")
        if text == "bad":
            return {"path": name, "error": "not an image"}
        if text == "busy":
            raise Busy
        if text == "fail":
            raise MemoryError("/secret/path")
        if text == "wait":
            self.started.set()
            assert self.go.wait(10)
        asked = [top, with_pictures]
        return {"path": name, "predicted": text, "asked": asked}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
    yield build_app(Model(), FACTS, folder, HOSTS)
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def client(app):
    with TestClient(
        app, "http://127.0.0.1:7860", raise_server_exceptions=False
    ) as client:
        yield client


def send(app, messages, *headers):
    """Returns status and value of the answer to a body in pieces.

    Args:
        app: Application.
        messages: What it receives, one after the other: bytes, None where
            the client goes away, or ... for nothing; an error is raised.
        headers: Of the request.
    """
    messages, said = iter(messages), []
    headers = [(b"host", b"localhost"), *headers]

    async def receive():
        message = next(messages)
        if isinstance(message, Exception):
            raise message
        if message is ...:
            await asyncio.sleep(10)
        if message is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": message, "more_body": True}

    async def answer(message):
        said.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/predict",
        "query_string": b"", "headers": headers,
    }  # fmt: skip
    asyncio.run(app(scope, receive, answer))
    return said[0]["status"], json.loads(said[1]["body"])


FORM = {"Content-Type": "multipart/form-data; boundary=b0undary"}
END = b"--b0undary--\r\n"


def part_of(head, content):
    return b"--b0undary\r\n%b\r\n\r\n%b\r\n" % (head, content)


def file_head(name):
    return b'Content-Disposition: form-data; name="p"; filename="%b"' % name


def rows_of(client, *parts, before=b"", after=b""):
    """Returns (path, content) of the photos of a form of (head, content)."""
    body = before + b"".join(part_of(*part) for part in parts)
    body += END + after
    answer = client.post("/predict", content=body, headers=FORM)
    assert answer.status_code == 200, answer.text
    return [(row["path"], row["predicted"]) for row in answer.json()]


def test_one_photo_is_an_object_and_a_form_a_list(client):
    answer = client.post("/predict", content=b"photo")
    row = {"path": None, "predicted": "photo", "asked": [None, False]}
    assert answer.status_code == 200
    assert answer.text == json.dumps(row, indent=2) + "\n"
    answer = client.post("/predict?top=2&grad_cam=1", content=b"photo")
    assert answer.json()["asked"] == [2, True]
    files = [
        ("p", ("../a.jpg", b"1")),
        ("p", ("b", b"bad")),
        ("q", ("c", b"3")),
    ]
    answer = client.post("/predict", files=files)
    assert answer.status_code == 400
    assert answer.json() == [
        {"path": "../a.jpg", "predicted": "1", "asked": [None, False]},
        {"path": "b", "error": "not an image"},
        {"path": "c", "predicted": "3", "asked": [None, False]},
    ]
    parts = 5 * part_of(file_head(b"a"), b"1")
    answer = client.post("/predict", content=parts + END, headers=FORM)
    assert answer.status_code == 413
    assert answer.json() == {"error": "At most 4 photos at a time."}


def test_a_photo_is_no_form_where_curl_says_so(client):
    """It calls all that `--data-binary` sends a form of fields."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/predict", content=b"\xff\xd8&=%", headers=headers)
    assert answer.json()["predicted"] == "\xff\xd8&=%"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"bad", 400, "not an image"),
        (b"fail", 500, "The server failed (MemoryError)."),
        (b"busy", 503, "Too many photos at the same time. Try again."),
    ],
)
def test_a_bad_photo_costs_only_itself(client, body, status, error):
    answer = client.post("/predict", content=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("1" if status == 503 else None) == answer.headers.get("Retry-After")
    answer = client.post("/predict", content=b"good")
    assert answer.json()["predicted"] == "good"


def test_what_failed_is_raised_for_the_log(app):
    with TestClient(app, "http://localhost") as client:
        with pytest.raises(MemoryError, match="/secret/path"):
            client.post("/predict", content=b"fail")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("HEAD", "/predict", 405),
        ("PUT", "/predict", 405),
        ("DELETE", "/", 405),
        ("POST", "/", 405),
        ("OPTIONS", "/predict", 405),
        ("BREW", "/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/", 404),
        ("POST", "/predict?topp=3", 400),
        ("POST", "/predict?top=0", 400),
        ("POST", "/predict?top=-1", 400),
        ("POST", "/predict?top=", 400),
        ("POST", "/predict?top=%D9%A1", 400),
        ("POST", f"/predict?top={5000 * '9'}", 400),
        ("POST", "/predict?grad_cam=yes", 400),
    ],
)
def test_what_is_asked_for_wrongly(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    if method != "HEAD":
        assert set(answer.json()) == {"error"}
    if status == 405:
        allowed = {"POST"} if path == "/predict" else {"GET", "HEAD"}
        assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/", "/health", "/x", "/predict"])
def test_all_answers_are_guarded(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


def test_the_page_holds_names_as_text(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    (known,) = re.findall(r'id="known">(.*?)</script>', answer.text)
    assert "<" not in known
    assert json.loads(known) == FACTS
    assert not re.findall(r"(?:src|href)=\"(?!data:)", answer.text)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert client.head("/").content == b""
    assert client.get("/health").json() == FACTS


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:7860", "127.0.0.1", "LocalHost", "[::1]:7860", "laptop:7860"],
)
def test_names_of_this_machine_are_let_in(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example:7860",
        "evil.example#127.0.0.1",
        "evil.example/@127.0.0.1",
        "user@127.0.0.1",
        "127.0.0.1:port",
        "192.168.0.7:7860",
        "[::1",
        "[::2]",
        "",
        "127.0.0.1, evil.example",
    ],
)
def test_other_names_are_not(client, host):
    for path in ("/", "/health", "/nothing"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400
    answer = client.post("/predict", content=b"1", headers={"Host": host})
    assert (answer.status_code, answer.text) == (400, "Invalid host header")


@pytest.mark.parametrize(
    "headers",
    [
        {},  # curl
        {"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://127.0.0.1:7860"},  # behind a proxy
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_the_page_itself_and_programs_may_send(client, headers):
    answer = client.post("/predict", content=b"photo", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://localhost:7860"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_may_not(client, headers):
    answer = client.post("/predict", content=b"photo", headers=headers)
    assert answer.status_code == 403
    assert "other sites" in answer.json()["error"]


def test_elsewhere_any_name_will_do(tmp_path):
    client = TestClient(build_app(Model(), FACTS, tmp_path, ["*"]))
    headers = {"Host": "laptop.local"}
    assert client.get("/health", headers=headers).json() == FACTS
    headers["Origin"] = "http://evil"
    assert client.post("/predict", headers=headers).status_code == 403


def test_bodies_that_are_too_large(client):
    assert client.post("/predict", content=1000 * b"1").status_code == 200
    for body in ({"content": 1001 * b"1"}, {"files": {"p": 1000 * b"1"}}):
        answer = client.post("/predict", **body)
        assert answer.status_code == 413
        assert "at most 0.001 MB" in answer.json()["error"]


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (b"image/jpeg", b""),
        (
            b"multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="p"; filename="a"'
            b"\r\n\r\n",
        ),
    ],
)
def test_a_body_without_its_length_is_read_to_the_limit(app, kind, first):
    blocks = iter([first, *(20 * [100 * b"1"])])
    status, answer = send(app, blocks, (b"content-type", kind))
    assert (status, "Too large" in answer["error"]) == (413, True)
    assert len(list(blocks)) == (11 if first else 10) - 1


def test_a_client_that_asks_first_is_told_before_it_sends(app):
    """Once the body is received, the server asks for it."""
    length = (b"content-length", b"1001")
    status, _ = send(app, [AssertionError("it was asked for")], length)
    assert status == 413


def test_a_client_that_goes_away_leaves_nothing(app):
    status, answer = send(app, [b"wa", None])
    assert (status, answer["error"]) == (400, "The upload ended early.")
    form = (b"content-type", b"multipart/form-data; boundary=x")
    assert send(app, [b"--x\r\nContent-Dis", None], form)[0] == 400


def test_slow_clients_are_not_waited_for(app, monkeypatch):
    monkeypatch.setattr(serving_app, "_READ_SECONDS", 0.05)
    for body in ([...], [b"1", b"2", ...]):
        status, answer = send(app, body)
        assert (status, answer["error"]) == (408, "The upload took too long.")


def test_many_clients_each_get_what_is_theirs(client):
    def ask(number):
        for repeat in range(8):
            text = f"{number}.{repeat}"
            answer = client.post("/predict", content=text.encode())
            assert (answer.status_code, answer.json()["predicted"]) == (
                200,
                text,
            )
        return 8

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(ask, range(32))) == 32 * 8


HARD = [
    b"",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n--",
    b"\r\n--b0undar",
    b"--b0undary--",
    b"\r\n\r\n" + bytes(range(256)) + b"\r\n\r\n",
]


def test_a_form_gives_its_files_byte_for_byte(client):
    names = [b"%d.jpg" % i for i in range(len(HARD))]
    for photos in (HARD[:4], HARD[4:]):
        pairs = list(zip(names, photos, strict=False))
        rows = rows_of(client, *((file_head(x), photo) for x, photo in pairs))
        assert rows == [(x.decode(), y.decode("latin-1")) for x, y in pairs]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (file_head(b"../../etc/passwd"), "../../etc/passwd"),
        (file_head("\u00fc\u4e2d.jpg".encode()), "\u00fc\u4e2d.jpg"),
        (file_head(b"\xff.jpg"), "\u00ff.jpg"),
        (file_head(rb"a \"b\".jpg"), 'a "b".jpg'),
        (b"content-disposition:form-data;name=p;filename=a.jpg", "a.jpg"),
    ],
)
def test_names_are_kept_as_words_and_are_no_paths(client, head, name):
    assert rows_of(client, (head, b"photo")) == [(name, "photo")]


def test_fields_that_are_no_files_are_skipped(client):
    no_file = b'Content-Disposition: form-data; name="top"'
    rows = rows_of(
        client,
        (no_file, b"3"),
        (file_head(b""), b""),
        (no_file + b"; filename*=a\0b''x", b"x"),
        (file_head(b"a"), b"photo"),
        before=b"\r\n",
        after=b"and more",
    )
    assert rows == [("a", "photo")]


WHOLE = part_of(file_head(b"a"), b"photo") + END


@pytest.mark.parametrize("length", range(0, len(WHOLE) - 4, 3))
def test_a_form_that_was_cut_is_refused(client, length):
    answer = client.post("/predict", content=WHOLE[:length], headers=FORM)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xd8 a photo without a form",
        END,
        part_of(b"A: b", b"no head") + WHOLE,
        b"".join(100 * [b"--b0undary\r\n" + 100 * b"A: b\r\n"])[:990],
        WHOLE.replace(b"b0undary", b"other"),
    ],
)
def test_a_form_without_photos_is_refused(client, body):
    answer = client.post("/predict", content=body, headers=FORM)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_a_form_needs_its_boundary(client):
    headers = {"Content-Type": "multipart/form-data"}
    answer = client.post("/predict", content=WHOLE, headers=headers)
    assert answer.status_code == 400
