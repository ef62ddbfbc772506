import base64
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_zoo import build_model
from tests.support import chromium, corpus
from tests.support.paths import ROOT
from thaw.data import quality_report
from thaw.inference import predictor as inference
from thaw.inference import rows as predict_output
from thaw.runs.writer import RunFolder
from thaw.serving import model as serve_model
from thaw.serving.batcher import Busy
from thaw.serving.page import build_page
from thaw.serving.server import Server

CLASSES = ["cat", "<b>dog</b>", "owl"]
MAX_PIXELS = 1_000_000
GROUPS = (
    corpus.whole_files,
    corpus.cut_files,
    corpus.no_photos,
    corpus.bombs,
    corpus.modes,
    corpus.turned,
    corpus.animations,
)


@pytest.fixture(scope="module")
def model():
    return build_model(
        "vgg16_tiny", len(CLASSES), weights="auto", image_size=64
    )


@pytest.fixture(scope="module")
def served(model):
    """A server of the model, in this process."""
    facts = {
        "run": "run",
        "classes": CLASSES,
        "backbone": "vgg16_tiny",
        "val_accuracy": 0.5,
        "val_photos": 1234,
        "grad_cam": True,
        "max_megabytes": 1,
        "max_pixels": MAX_PIXELS,
    }
    served_model = serve_model.ServedModel(model, CLASSES, MAX_PIXELS)
    server = Server("127.0.0.1", 0)
    with tempfile.TemporaryDirectory() as folder:
        served_model.warm_up(folder)
        server.start(served_model, build_page(facts), facts, 1_000_000, folder)
        yield server
        server.stop()
        served_model.close()
        assert os.listdir(folder) == []


@pytest.fixture(scope="module")
def odd_photos(tmp_path_factory):
    """Paths of odd photos, and of what is none."""
    folder = tmp_path_factory.mktemp("odd")
    paths = []
    for group in GROUPS:
        for name, contents, _ in group():
            paths.append(str(folder / name))
            Path(paths[-1]).write_bytes(contents)
    return paths


def expected_rows(model, paths, max_pixels=MAX_PIXELS, top=None):
    """Returns what predict.py prints as JSON, or the reason, by path."""
    (checked,) = inference.check_in_parts([paths], max_pixels)
    expected = dict(quality_report.bad_photos(checked))
    for batch in inference.Predictor(model).predict(checked):
        for row, probabilities in zip(
            batch.rows, batch.probabilities, strict=True
        ):
            path = checked.paths[row]
            expected[path] = predict_output.describe(
                path, probabilities, CLASSES, top
            )
    return expected


def send(served, body, query="", connection=None):
    """Returns status and value of the answer to a photo."""
    connection = connection or http.client.HTTPConnection(
        *served.server_address, timeout=60
    )
    connection.request("POST", f"/predict{query}", body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_odd_photos_get_the_answers_of_predict(served, model, odd_photos):
    expected = expected_rows(model, odd_photos)
    connection = http.client.HTTPConnection(*served.server_address, timeout=60)
    kinds = set()
    for path in odd_photos:
        body = Path(path).read_bytes()
        status, row = send(served, body, connection=connection)
        kinds.add(status)
        if isinstance(expected[path], str):
            assert status == 400, path
            assert row == {"path": None, "error": expected[path]}
        else:
            assert status == 200, path
            assert row["path"] is None
            assert list(row) == list(expected[path])
            assert row["predicted"] == expected[path]["predicted"]
            for name in CLASSES:
                assert abs(row[name] - expected[path][name]) < 1e-6, path
    assert kinds == {200, 400}
    assert len(odd_photos) > 200


def test_sixty_four_clients_each_get_the_answer_of_their_photo(
    served, model, drawn_photos
):
    paths = [str(path) for path in sorted(drawn_photos.glob("*/*.jpg"))]
    expected = expected_rows(model, paths, top=1)
    assert len({row["probability"] for row in expected.values()}) > 40

    def client(number):
        connection = http.client.HTTPConnection(
            *served.server_address, timeout=60
        )
        some = [paths[(7 * number + i) % len(paths)] for i in range(4)]
        for path in some:
            body = Path(path).read_bytes()
            status, row = send(served, body, "?top=1", connection)
            assert status == 200
            assert abs(row["probability"] - expected[path]["probability"]) < (
                1e-6
            )
        return len(some)

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(client, range(64))) == 256


def test_grad_cam_is_the_photo_with_heat_over_it(served, drawn_photos):
    body = (drawn_photos / "dog" / "0003.jpg").read_bytes()
    _, row = send(served, body, "?top=2&grad_cam=1")
    assert list(row) == [
        "path",
        "predicted",
        "probability",
        "top",
        "picture",
        "grad_cam",
    ]
    assert len(row["top"]) == 2
    picture, heated = (pixels_of(row[key]) for key in ("picture", "grad_cam"))
    assert picture.shape == heated.shape == (64, 64, 3)
    assert np.abs(picture - heated).max() > 20
    with Image.open(io.BytesIO(body)) as photo:
        mean = np.asarray(photo).mean(axis=(0, 1))
    np.testing.assert_allclose(picture.mean(axis=(0, 1)), mean, atol=3)


def pixels_of(url):
    start = "data:image/png;base64,"
    assert url.startswith(start)
    file = io.BytesIO(base64.b64decode(url.removeprefix(start)))
    return np.asarray(Image.open(file), "int64")


def test_a_model_without_maps_has_no_grad_cam(model, tmp_path, monkeypatch):
    def no_maps(model):
        raise ValueError("it has no layer with maps at its end.")

    monkeypatch.setattr(serve_model, "GradCam", no_maps)
    served_model = serve_model.ServedModel(model, CLASSES, MAX_PIXELS)
    path = tmp_path / "photo.png"
    Image.new("RGB", (9, 9)).save(path)
    (row,) = served_model.predict([str(path)], ["a"], 1, with_pictures=True)
    assert row["picture"] is row["grad_cam"] is None
    assert not served_model.has_pictures
    served_model.close()


def test_a_model_that_fails_or_is_busy_goes_on(served, drawn_photos):
    served_model = served.model
    body = (drawn_photos / "cat" / "0001.jpg").read_bytes()
    path = str(drawn_photos / "cat" / "0001.jpg")
    go = threading.Event()
    batcher = served_model._batcher
    compute = batcher._compute

    def fail(batch):
        assert go.wait(10)
        raise MemoryError

    batcher._compute = fail
    try:
        with ThreadPoolExecutor(1) as pool:
            failed = pool.submit(send, served, body)
            many = (served_model.room + 1) * [path]
            with pytest.raises(Busy):
                served_model.predict(many, many)
            go.set()
            assert failed.result()[0] == 500
    finally:
        batcher._compute = compute
    assert send(served, body)[0] == 200


def test_large_photos_are_read_one_at_a_time(served, drawn_photos, monkeypatch):
    """They take memory: 16 bytes a pixel."""
    path = str(drawn_photos / "cat" / "0000.jpg")
    predictor = served.model._predictor
    read, reading, most = predictor.read, [], []

    def count(*arguments):
        reading.append(1)
        most.append(len(reading))
        time.sleep(0.02)
        reading.pop()
        return read(*arguments)

    monkeypatch.setattr(predictor, "read", count)
    monkeypatch.setattr(serve_model, "_LARGE", 100)
    served.model.predict(8 * [path], 8 * [None])
    assert most == 8 * [1]


@pytest.mark.skipif(chromium.COMMAND is None, reason="no chromium")
def test_the_page_in_a_browser(served, model, drawn_photos, tmp_path):
    photos = [str(path) for path in sorted(drawn_photos.glob("cat/*.jpg"))[:6]]
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "large.bmp").write_bytes(bytes(1_000_001))
    with Image.open(photos[0]) as photo:
        photo.save(tmp_path / "no browser shows me.tif")
    expected = expected_rows(model, photos, top=3)
    with chromium.Chromium(tmp_path / "profile") as page:
        page.open(served.url())
        assert page.run("document.getElementById('facts').textContent") == (
            "Run run \u00b7 vgg16_tiny \u00b7 50.0% right on 1,234 validation "
            "photos"
        )
        title = page.run("document.querySelector('h1').innerText")
        assert title == "What is on the photo: cat, <b>dog</b> or owl?"
        assert page.run("document.querySelectorAll('b').length") == 0

        page.choose("#files", photos)
        page.wait_for("document.querySelectorAll('dl').length === 6")
        cards = page.run(
            """[...document.querySelectorAll('#cards > li')].map((card) => ({
                 name: card.querySelector('.name').textContent,
                 title: card.querySelector('h2').textContent,
                 shares: [...card.querySelectorAll('dd:not(.track)')].map(
                   (share) => share.textContent),
                 bars: [...card.querySelectorAll('.track div')].map(
                   (bar) => bar.getBoundingClientRect().width
                     / bar.parentNode.getBoundingClientRect().width),
               }))"""
        )
        assert [card["name"] for card in cards] == [
            os.path.basename(path) for path in photos
        ]
        for card, path in zip(cards, photos, strict=True):
            row = expected[path]
            shares = [x["probability"] for x in row["top"]]
            percents = [f"{100 * share:.1f}%" for share in shares]
            assert card["title"] == f"{row['predicted']} {percents[0]}"
            assert card["shares"] == percents
            np.testing.assert_allclose(card["bars"], shares, atol=0.01)

        visible = (
            "[...document.querySelectorAll('{}')].filter((image) => "
            "image.checkVisibility() && image.naturalWidth {} 64).length"
        )
        page.wait_for(visible.format(".photo", ">") + " === 6")
        page.run("document.getElementById('heat').click()")
        page.wait_for(visible.format(".heat", "===") + " === 6")
        assert page.run(visible.format(".photo", ">")) == 0
        page.run("document.querySelector('button.frame').click()")
        assert page.run(visible.format(".heat", "===")) == 5

        page.choose("#files", sorted(tmp_path.glob("*.*")))
        page.wait_for("!document.querySelector('.waiting')")
        assert page.run(
            "[...document.querySelectorAll('.error')].map((card) => "
            "[...card.children].map((words) => words.textContent))"
        ) == [
            [
                "Cannot be used",
                "large.bmp",
                "larger than 1 MB (-\u2060-\u2060max_megabytes)",
            ],
            ["Cannot be used", "text.jpg", "not an image"],
        ]
        # What the browser cannot show is shown as the model sees it.
        page.run("document.getElementById('heat').click()")
        page.wait_for(visible.format(".photo", "===") + " === 1")
        status = page.run("document.getElementById('status').textContent")
        assert status == "9 of 9 photos, 2 cannot be used"

        page.run("document.getElementById('clear').click()")
        with open(photos[1], "rb") as file:
            octets = list(file.read())
        for event, key in (
            ("drop", "dataTransfer"),
            ("paste", "clipboardData"),
        ):
            page.run(
                f"""{{
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array({octets})], "moved"));
                const event = new Event("{event}", {{ bubbles: true }});
                event.{key} = data;
                document.body.dispatchEvent(event);
                }}"""
            )
        page.wait_for("document.querySelectorAll('dl').length === 2")
        titles = page.run(
            "[...document.querySelectorAll('h2')].map((x) => x.textContent)"
        )
        assert titles == 2 * [cards[1]["title"]]


def serve(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, ROOT / "serve.py", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_script_serves_until_ctrl_c(
    model, drawn_photos, tmp_path, monkeypatch
):
    run = RunFolder.create(tmp_path / "run")
    run.save_class_names(CLASSES)
    run.save_model(model, CLASSES)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    process = serve(run.path, "--port=0")
    try:
        line = process.stdout.readline()
        address = re.search(r" is served at http://(127.0.0.1:\d+)/  ", line)
        path = str(drawn_photos / "cat" / "0000.jpg")
        connection = http.client.HTTPConnection(address[1], timeout=60)
        connection.request("POST", "/predict", Path(path).read_bytes())
        row = json.loads(connection.getresponse().read())
        expected = expected_rows(model, [path])[path]
        assert row["predicted"] == expected["predicted"]
        assert abs(row["probability"] - expected["probability"]) < 1e-6
        # A second one finds the port taken, before it loads anything.
        port = address[1].split(":")[1]
        second = serve(run.path, f"--port={port}")
        assert second.communicate(timeout=60)[1].startswith(
            f"serve.py: --port: {port} is taken"
        )
        assert second.returncode == 2
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
        assert said == ("", "Stopping\n")
        assert process.returncode == 0
        assert list((tmp_path / "uploads").iterdir()) == []
    finally:
        process.kill()


def test_the_script_says_what_it_expects():
    process = serve()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith("serve.py: Expected one run folder")
