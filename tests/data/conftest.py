"""A photo of the drawn ones, to be saved in other forms."""

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def photo(drawn_photos):
    return Image.open(sorted(drawn_photos.glob("cat/*.jpg"))[0]).copy()
