import json

import numpy as np
import pytest

import thaw
from tests.support.deep import grey_file
from thaw.errors import UserError
from thaw.exporting.photos import choose_photos, load_photos
from thaw.pixel_range import INTEGER, PixelRange
from thaw.runs import pixel_ranges

TWELVE = {INTEGER: PixelRange(0, 4095)}
RNG = np.random.default_rng(0)


def write(folder, label, number, highest):
    """A noisy photo that gets brighter to the right, or, high, downwards."""
    ramp = np.linspace(0, 0.9, 48) + np.zeros((48, 1))
    ramp = (ramp.T if label == "high" else ramp) + RNG.random((48, 48)) / 10
    numbers = (ramp / ramp.max() * highest).round().astype("uint16")
    (folder / label).mkdir(parents=True, exist_ok=True)
    path = folder / label / f"{number}.png"
    path.write_bytes(grey_file(numbers, "PNG"))
    return numbers


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deep")
    for label in ("high", "low"):
        for number in range(8):
            write(folder / "photos", label, number, 4000 - 100 * number)
    return thaw.fine_tune(
        folder / "photos", run_dir=folder / "run", verify=False, verbose=0,
        backbone="vgg16_tiny", image_size=32, head="linear", epochs=0,
        augment="none",
    )  # fmt: skip


def test_a_run_reads_all_photos_by_the_range_of_its_own(run, tmp_path, capsys):
    assert run.summary["pixel_ranges"] == {INTEGER: "0:4095"}
    assert run.pixel_ranges == TWELVE
    numbers = [
        write(tmp_path, label, number, highest)
        for label in ("high", "low")
        for number, highest in enumerate((250, 9000))
    ]
    levels = [(x * (255 / 4095)).clip(0, 255).round() for x in numbers]
    images = np.repeat(np.array(levels, "float32")[..., None], 3, axis=-1)
    expected = run.model.predict_on_batch(images)[:, 0]
    found = list(run.predict(tmp_path))
    np.testing.assert_allclose(
        [x.probabilities["low"] for x in found], expected, atol=1e-5
    )
    clipped = "2 of 4 photos have values outside of the pixel range, which are"
    assert clipped in capsys.readouterr().err
    run.evaluate(tmp_path, output_dir=tmp_path.parent / f"{tmp_path.name}-out")
    assert clipped in capsys.readouterr().err
    predictions = (
        tmp_path.parent / f"{tmp_path.name}-out" / "predictions.csv"
    ).read_text("utf-8")
    low = [float(x.split(",")[-1]) for x in predictions.splitlines()[1:]]
    np.testing.assert_allclose(low, expected, atol=1e-5)
    exported = np.concatenate(
        list(load_photos(choose_photos(run, str(tmp_path), 9)))
    )
    np.testing.assert_array_equal(exported, images)


def test_without_a_file_the_version_decides(tmp_path):
    assert pixel_ranges.load(tmp_path) == {}  # has not ended
    for content, expected in (
        ({"format": 2}, None),
        ({"format": 2, "pixel_ranges": {}}, {}),
    ):
        (tmp_path / "run.json").write_text(json.dumps(content))
        assert pixel_ranges.load(tmp_path) == expected
    pixel_ranges.save(tmp_path, {})
    assert pixel_ranges.load(tmp_path) == {}
    pixel_ranges.save(tmp_path, TWELVE)
    assert pixel_ranges.load(tmp_path) == TWELVE


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"integer": 4095}', '{"bits": "0:1"}', '{"float": "x"}'],
)
def test_a_damaged_file_is_refused(tmp_path, text):
    (tmp_path / "pixel_ranges.json").write_text(text)
    with pytest.raises(UserError, match="pixel_range"):
        pixel_ranges.load(tmp_path)
