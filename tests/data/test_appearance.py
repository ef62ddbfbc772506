import pytest
from PIL import Image, ImageEnhance, ImageOps

from tests.support.corpus import saved
from thaw.data.appearance import FLAT, Appearance, appearance_of
from thaw.data.pixels import decode


def test_the_hash_survives_resizing_and_compression(photo):
    def hash_of(contents):
        return appearance_of(decode(contents)).perceptual_hash

    expected = hash_of(saved(photo, "PNG"))
    smaller = photo.resize((photo.width // 2, photo.height // 2))
    for contents in (
        saved(photo, "JPEG", quality=40),
        saved(smaller, "PNG"),
        saved(ImageEnhance.Brightness(photo).enhance(0.8), "WEBP"),
    ):
        assert (hash_of(contents) ^ expected).bit_count() <= 8
    mirrored = hash_of(saved(ImageOps.mirror(photo), "PNG"))
    assert (mirrored ^ expected).bit_count() > 24


@pytest.mark.parametrize("quality", [30, 95])
def test_grey_and_blank_photos(photo, quality):
    def appearance(image):
        return appearance_of(decode(saved(image, "JPEG", quality=quality)))

    assert not appearance(photo).grey and appearance(photo).spread > FLAT
    grey = appearance(photo.convert("L").convert("RGB"))
    assert grey.grey and grey.spread > FLAT and grey.perceptual_hash is not None
    black = appearance(Image.new("RGB", (50, 40)))
    assert black == Appearance(None, grey=True, spread=0.0)
    red = appearance(Image.new("RGB", (50, 40), (200, 10, 10)))
    assert red == Appearance(None, grey=False, spread=0.0)
    lit = photo.convert("L").point(lambda level: 250 if level else 250)
    lit.paste(0, (0, 0, 12, 12))  # little, but something
    assert appearance(lit).spread > FLAT
