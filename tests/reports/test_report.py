import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from thaw.reports.report import Page, Shown, build_report

EVIL = "<script>alert(1)</script> & \"'</style>"


def jpeg(color=(200, 60, 20)):
    import io

    file = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(file, "JPEG")
    return file.getvalue()


def png():
    import io

    file = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(file, "PNG")
    return file.getvalue()


def make_page(names=("cat", EVIL), path=f"photos/{EVIL}.jpg"):
    counts = np.full((len(names), len(names)), 1)
    counts[0, 1] = 20
    cells = {
        (i, j): [Shown([jpeg()], "dog 0.91", path)] * min(counts[i, j], 12)
        for i in range(min(len(names), 3))
        for j in range(min(len(names), 3))
    }
    gone = Shown([], "gone", "photos/gone.jpg")
    return Page(
        title=f"run {EVIL}",
        verdict=f"It takes {EVIL} for cat.",
        tiles=[("97%", "accuracy", EVIL)],
        advice=[(f"python train.py --data='{EVIL}'", EVIL)],
        curves=[png(), png()],
        numbers=[png()],
        confusion_picture=png(),
        class_counts=png(),
        augmented=jpeg(),
        class_names=names,
        confusion=counts,
        cells=cells,
        class_rows=[("Class", "Photos"), (EVIL, "3")],
        mistakes=[Shown([jpeg(), jpeg()], EVIL, path)],
        doubtful=[],
        suspected=[Shown([jpeg()], EVIL, path), gone],
        suspected_words="Two",
        frozen=[("Proof", EVIL)],
        data=[(EVIL, "1")],
        how=[("Device", EVIL)],
        command=f"python train.py {EVIL}",
    )


def test_names_are_text_never_markup():
    html = build_report(make_page())
    assert "<script>alert" not in html
    assert html.count("<script") == 2  # the data, and ours
    assert "&lt;script&gt;alert(1)" in html
    data = re.search(r'id="cells">(.*?)</script>', html, re.S)[1]
    assert "<" not in data
    assert json.loads(data)["0,1"][0][1] == f"photos/{EVIL}.jpg"
    assert not re.search(r'(src|href)="(?!data:)', html)


def test_a_name_that_is_no_utf_8_is_shown():
    html = build_report(make_page(path="photos/\udcff.jpg"))
    assert "photos/?.jpg" in html
    html.encode("utf-8")


def test_of_many_classes_those_with_mistakes_can_be_clicked():
    names = [f"class {number}" for number in range(200)]
    page = make_page(names)
    page.confusion[:] = np.eye(200, dtype=int) * 5
    page.confusion[150, 170] = 9
    html = build_report(page)
    assert 'data-cell="150,170"' in html
    assert html.count("<button") == 30 * 30
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
    html = build_report(make_page())
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
        f"cat, taken for {EVIL}: 20 of 21 (95.2%); 12 are shown, all are in "
        "predictions.csv"
    )
    assert found["hover"] == f"cat, taken for {EVIL}: 20 of 21 (95.2%)"
    assert found["caption"] == f"dog 0.91photos/{EVIL}.jpg"
    assert found["pressed"] == "true"
    assert found["scripts"] == 3  # with that of this test
    assert not found["wide"]
    assert found["asked"] == []
