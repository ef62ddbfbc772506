import numpy as np
import pytest
from PIL import Image

from thaw.data.decode import load_photo


@pytest.fixture(scope="module")
def picture(drawn_photos):
    return Image.open(sorted(drawn_photos.glob("cat/*.jpg"))[0])


def test_a_png_gives_its_exact_pixels(tmp_path, picture):
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        load_photo(str(tmp_path / "a.png")), np.asarray(picture)
    )


def test_a_jpeg_is_within_one_level_of_pillow(drawn_photos):
    for path in sorted(drawn_photos.glob("dog/*.jpg"))[:5]:
        difference = load_photo(str(path)) - np.asarray(Image.open(path), "f4")
        assert np.abs(difference).max() <= 1


def test_a_grey_photo_becomes_three_channels(tmp_path, picture):
    picture.convert("L").save(tmp_path / "grey.jpg")
    pixels = load_photo(str(tmp_path / "grey.jpg")).numpy()
    assert pixels.shape == (picture.height, picture.width, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_an_extension_that_lies_between_jpeg_and_png_is_read(tmp_path, picture):
    picture.save(tmp_path / "really_png.jpg", format="png")
    assert load_photo(str(tmp_path / "really_png.jpg")).shape[-1] == 3
