import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from thaw.evaluation.advice import Advice
from thaw.evaluation.evaluation import evaluate
from thaw.evaluation.label_issues import LabelIssues
from thaw.evaluation.predictions import Predictions
from thaw.reports.facts import RunFacts
from thaw.reports.page import Pictures, make_page
from thaw.reports.photos import Shown

EVIL = "<script>alert(1)</script> & \"'</style>"


def picture(kind, color=(200, 60, 20)):
    file = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(file, kind)
    return file.getvalue()


JPEG, PNG = picture("JPEG"), picture("PNG")


def make_facts(num_classes):
    return RunFacts(
        name=f"run {EVIL}",
        path=f"runs/{EVIL}",
        summary={
            "backbone": EVIL,
            "best_epoch": 1,
            "class_counts": {"train": [3] * num_classes},
            "device": EVIL,
            "epochs": 2,
            "freeze_proof": {"summary": EVIL},
            "frozen_layers": [],
            "frozen_parameters": 2000,
            "image_size": 48,
            "quality": {EVIL: 1},
            "seconds": 83.2,
            "seed": 0,
            "thaw": "0.2.0",
            "trainable_layers": [EVIL],
            "trainable_parameters": 1000,
            "unfreeze_from": EVIL,
            "versions": {"keras": EVIL},
        },
        history=[],
        curves=[PNG, PNG],
        augmented=JPEG,
    )


def make_html(names=("cat", EVIL), counts=((1, 20), (1, 1)), path=EVIL):
    """The page of a run with this confusion matrix."""
    true, predicted = np.indices(np.shape(counts))
    labels, predicted = (
        np.repeat(x.ravel(), np.ravel(counts)) for x in (true, predicted)
    )
    probabilities = np.eye(len(names))[predicted] * 0.8 + 0.2 / len(names)
    evaluation = evaluate(
        Predictions(labels, labels, probabilities, None, None, names)
    )
    shown = Shown([JPEG], "dog 0.91", f"photos/{path}.jpg")
    charts = ("roc", "confusion", "class_counts")
    pictures = Pictures(
        charts=dict.fromkeys(charts, PNG),
        mistakes=[Shown([JPEG, JPEG], EVIL, path)],
        doubtful=[],
        suspected=[shown, Shown([], "gone", "photos/gone.jpg")],
        cells={(0, 1): [shown] * 12, (1, 1): [shown]},
    )
    advice = [Advice(f"--data='{EVIL}'", EVIL)]
    issues = LabelIssues([{"probability": 0.9}, {"probability": 0.6}], (EVIL,))
    return make_page(
        make_facts(len(names)), evaluation, advice, issues, pictures
    )


def test_names_are_text_never_markup():
    html = make_html()
    assert "<script>alert" not in html
    assert html.count("<script") == 2  # the data, and ours
    assert "&lt;script&gt;alert(1)" in html
    data = re.search(r'id="cells">(.*?)</script>', html, re.S)[1]
    assert "<" not in data
    assert json.loads(data)["0,1"][0][1] == f"photos/{EVIL}.jpg"
    assert not re.search(r'(src|href)="(?!data:)', html)


def test_it_says_what_the_run_was():
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", make_html(["a", "b"])))
    for words in (
        "Accuracy 8.7% on 23 validation photos",
        "Most common error: a predicted as b (20 of 21).",
        "lowest recall: a (4.8% of 21 photos)",
        "training time 1 min 23 s 2 epochs, kept 1",
        "thaw 0.2.0, keras",
        "can't be read any more",
        "Rows: true label; columns: predicted label.",
        "2 labels are likelier to be wrong than the difficulty of the task "
        "explains: about 2 of them (75%) are expected to be.",
        "Labels of these classes are not judged: &lt;script",
    ):
        assert words in text


def test_photos_of_one_class_have_no_curves():
    html = make_html(["a", "b"], [[3, 2], [0, 0]])
    assert "nan" not in html.lower()
    charts = make_html(["a", "b"]).count('class="chart"')
    assert html.count('class="chart"') == charts - 1  # ROC


def test_a_name_that_is_no_utf_8_is_shown():
    html = make_html(path="\udcff")
    assert "photos/?.jpg" in html
    html.encode("utf-8")


def test_of_many_classes_those_with_mistakes_can_be_clicked():
    names = [f"class {number}" for number in range(200)]
    counts = np.eye(200, dtype=int) * 5
    counts[150, 170] = 9
    html = make_html(names, counts)
    assert 'data-cell="150,170"' in html
    assert html.count("<button") == 30 * 30
    assert "The 30 classes with the most mistakes." in html
    assert len(html) < 5e6


CLICK = """
<script>
const button = document.querySelector('[data-cell="0,1"]');
button.click();
const image = document.querySelector("#shown img");
image.decode().then(() => {
  const box = image.getBoundingClientRect();
  document.title = JSON.stringify({
    images: document.querySelectorAll("#shown img").length,
    loaded: image.naturalWidth > 0 && box.width > 20,
    words: document.querySelector("#shown p").textContent,
    caption: document.querySelector("#shown figcaption").textContent,
    pressed: button.getAttribute("aria-pressed"),
    hover: button.title,
    scripts: document.scripts.length,
    asked: performance.getEntriesByType("resource").map(x => x.name)
      .filter(name => !name.startsWith("data:")),
    wide: document.documentElement.scrollWidth > innerWidth,
  });
});
</script>
"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
@pytest.mark.parametrize("width", [1200, 400])
def test_in_a_browser(tmp_path, width):
    """It answers clicks, says nothing on the console and needs no network."""
    page = tmp_path / "report.html"
    html = make_html()
    page.write_text(html.replace("</body>", f"{CLICK}</body>"), "utf-8")
    done = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--enable-logging=stderr", "--virtual-time-budget=5000",
            f"--window-size={width},900",
            f"--user-data-dir={tmp_path / 'user'}",
            "--dump-dom", f"file://{page}",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    title = re.search(r"<title>(.*?)</title>", done.stdout)[1]
    found = json.loads(
        title.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )
    assert found["images"] == 12 and found["loaded"]
    assert found["words"] == (
        f"cat, predicted as {EVIL}: 20 of 21 (95.2%); 12 are shown, all are in "
        "predictions.csv"
    )
    assert found["hover"] == f"cat, predicted as {EVIL}: 20 of 21 (95.2%)"
    assert found["caption"] == f"dog 0.91photos/{EVIL}.jpg"
    assert found["pressed"] == "true"
    assert found["scripts"] == 3  # with that of this test
    assert not found["wide"]
    assert found["asked"] == []
