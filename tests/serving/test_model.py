import base64
import contextlib
import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from model_zoo import build_model
from tests.support import chromium, corpus
from thaw.errors import UserError
from thaw.inference.predictions import predict_parts
from thaw.inference.rows import describe
from thaw.pixel_range import PixelRange
from thaw.serving import model as serving_model
from thaw.serving.app import build_app
from thaw.serving.batcher import Busy
from thaw.serving.server import listen, serving, url_of

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
def served_model(model, tmp_path_factory):
    served_model = serving_model.ServedModel(model, CLASSES, MAX_PIXELS)
    served_model.warm_up(tmp_path_factory.mktemp("first"))
    yield served_model
    served_model.close()


@pytest.fixture(scope="module")
def app(served_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
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
    yield build_app(served_model, facts, folder, ["localhost", "127.0.0.1"])
    assert os.listdir(folder) == []


@pytest.fixture(scope="module")
def client(app):
    url = "http://localhost"
    with TestClient(app, url, raise_server_exceptions=False) as client:
        yield client


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


def expected_rows(model, paths, top=None):
    """Returns the rows that predict.py prints as JSON, or reasons, by path."""
    run = SimpleNamespace(model=model, class_names=CLASSES, pixel_ranges=None)
    return {
        prediction.path: prediction.error or describe(prediction, top)
        for prediction in predict_parts(run, [paths], max_pixels=MAX_PIXELS)
    }


def send(client, body, query=""):
    """Returns status and value of the answer to a photo."""
    answer = client.post(f"/predict{query}", content=body)
    return answer.status_code, answer.json()


def test_odd_photos_get_the_answers_of_predict(client, model, odd_photos):
    expected = expected_rows(model, odd_photos)
    kinds = set()
    for path in odd_photos:
        body = Path(path).read_bytes()
        status, row = send(client, body)
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
    client, model, drawn_photos
):
    paths = [str(path) for path in sorted(drawn_photos.glob("*/*.jpg"))]
    expected = expected_rows(model, paths, top=1)
    assert len({row["probability"] for row in expected.values()}) > 40

    def ask(number):
        some = [paths[(7 * number + i) % len(paths)] for i in range(4)]
        for path in some:
            body = Path(path).read_bytes()
            status, row = send(client, body, "?top=1")
            assert status == 200
            assert abs(row["probability"] - expected[path]["probability"]) < (
                1e-6
            )
        return len(some)

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(ask, range(64))) == 256


def test_grad_cam_is_the_photo_with_heat_over_it(client, drawn_photos):
    body = (drawn_photos / "dog" / "0003.jpg").read_bytes()
    _, row = send(client, body, "?top=2&grad_cam=1")
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


def test_photos_are_read_by_the_ranges_of_the_run(model, tmp_path):
    numbers = np.tile(np.arange(64, dtype="uint16") * 15, (64, 1))
    path = str(tmp_path / "photo.png")
    Path(path).write_bytes(corpus.saved(Image.fromarray(numbers), "PNG"))
    ranges = {"integer": PixelRange(0, 1023)}
    served_model = serving_model.ServedModel(
        model, CLASSES, MAX_PIXELS, pixel_ranges=ranges
    )
    with contextlib.closing(served_model):
        (row,) = served_model.predict([(path, path)], with_pictures=True)
    shown = pixels_of(row["picture"])[..., 0]
    np.testing.assert_array_equal(shown, (numbers * (255 / 1023)).round())
    run = SimpleNamespace(model=model, class_names=CLASSES, pixel_ranges=ranges)
    (expected,) = predict_parts(run, [[path]])
    assert row["probability"] == pytest.approx(expected.probability, abs=1e-6)


def test_a_model_without_maps_has_no_grad_cam(model, tmp_path, monkeypatch):
    def no_maps(model):
        raise UserError("No Grad-CAM: it has no layer with maps at its end.")

    monkeypatch.setattr(serving_model, "GradCam", no_maps)
    served_model = serving_model.ServedModel(model, CLASSES, MAX_PIXELS)
    path = tmp_path / "photo.png"
    Image.new("RGB", (9, 9)).save(path)
    (row,) = served_model.predict([(str(path), "a")], 1, with_pictures=True)
    assert row["picture"] is row["grad_cam"] is None
    assert not served_model.has_pictures
    served_model.close()


def test_a_model_that_fails_or_is_busy_goes_on(
    served_model, client, drawn_photos
):
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
            failed = pool.submit(send, client, body)
            many = (served_model.room + 1) * [(path, None)]
            with pytest.raises(Busy):
                served_model.predict(many)
            go.set()
            assert failed.result()[0] == 500
    finally:
        batcher._compute = compute
    assert send(client, body)[0] == 200


def test_large_photos_are_read_one_at_a_time(
    served_model, drawn_photos, monkeypatch
):
    """They take memory: 16 bytes a pixel."""
    path = str(drawn_photos / "cat" / "0000.jpg")
    predictor = served_model._predictor
    read, reading, most = predictor.read, [], []

    def count(*arguments):
        reading.append(1)
        most.append(len(reading))
        time.sleep(0.02)
        reading.pop()
        return read(*arguments)

    monkeypatch.setattr(predictor, "read", count)
    monkeypatch.setattr(serving_model, "_LARGE", 100)
    served_model.predict(8 * [(path, None)])
    assert most == 8 * [1]


@pytest.mark.skipif(chromium.COMMAND is None, reason="no chromium")
def test_the_page_in_a_browser(app, model, drawn_photos, tmp_path):
    photos = [str(path) for path in sorted(drawn_photos.glob("cat/*.jpg"))[:6]]
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "large.bmp").write_bytes(bytes(1_000_001))
    with Image.open(photos[0]) as photo:
        photo.save(tmp_path / "no browser shows me.tif")
    expected = expected_rows(model, photos, top=3)
    listener = listen("127.0.0.1", 0)
    with (
        serving(app, listener),
        chromium.Chromium(tmp_path / "profile") as page,
    ):
        page.open(url_of(listener))
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
