import numpy as np
import pytest

from augment import Crop, Presize, homography
from augment.affine import warp


def transform(matrices, images, size):
    pixels = homography.pixel_matrices(matrices, images.shape[1], size)
    return np.array(warp(images, pixels, size=(size, size)))


@pytest.fixture
def square(images):
    return images[:, :64, :64]


def test_the_identity_changes_nothing(square):
    out = transform(homography.identity(4), square, 64)
    np.testing.assert_allclose(out, square, atol=1e-3)


def test_a_quarter_turn_and_a_mirror_are_exact(square):
    out = transform(homography.rotation([90.0] * 4), square, 64)
    np.testing.assert_allclose(out, np.rot90(square, axes=(1, 2)), atol=0.05)
    out = transform(homography.mirror([True] * 4), square, 64)
    np.testing.assert_allclose(out, square[:, :, ::-1], atol=1e-3)


def test_a_crop_is_the_part(square):
    out = transform(
        homography.crop([0.25] * 4, [0.5] * 4, [0.5] * 4, [0.5] * 4),
        square,
        32,
    )
    np.testing.assert_allclose(out, square[:, 32:, 16:48], atol=1e-3)


def test_a_tilt_moves_an_edge_by_its_share():
    """The pixel at x = 1 comes from 1 / (1 + t) of the way to the edge."""
    (matrix,) = homography.tilt([0.25], [0.0])
    x, y, k = matrix @ [1, 0, 1]
    assert x / k == pytest.approx(0.8) and y == 0


@pytest.mark.parametrize("kind", [Crop, Presize])
def test_views_are_pure_functions_of_seed_and_pass(kind, square):
    augment = kind(seed=1, image_size=32)
    size = (64, 64)
    parameters = augment.parameters(5, range(4), size)
    again = augment.parameters(5, [3, 1, 0, 2], size)
    np.testing.assert_array_equal(parameters[[3, 1, 0, 2]], again)
    assert (parameters != augment.parameters(6, range(4), size)).any()
    other = kind(seed=2, image_size=32).parameters(5, range(4), size)
    assert (parameters != other).any()
    views = np.array(augment(square, parameters))
    assert views.shape == (4, 32, 32, 3) and views.dtype == "float32"
    assert views.min() >= 0 and views.max() <= 255.01


def test_crops_have_the_shares_of_random_resized_crop():
    size = 100
    augment = Crop(seed=0, image_size=100)
    matrices = augment.parameters(0, range(20_000), (size, size))
    width, height = np.abs(matrices[:, 0]), np.abs(matrices[:, 4])
    area = width * height
    assert area.min() >= 0.08 - 1e-6 and area.max() <= 1 + 1e-6
    # Uniform from 8% to 100%, less what does not fit into the photo.
    assert np.median(area) == pytest.approx(0.5, abs=0.04)
    ratio = width / height
    assert 0.75 - 1e-6 <= ratio.min() and ratio.max() <= 4 / 3 + 1e-6
    assert (matrices[:, 0] < 0).mean() == pytest.approx(0.5, abs=0.02)
    # Inside of the photo: both outer edges.
    for scale, shift in ((0, 2), (4, 5)):
        first = matrices[:, shift] - matrices[:, scale] / 2
        last = first + matrices[:, scale] * size
        assert min(first.min(), last.min()) >= -0.5 - 1e-3
        assert max(first.max(), last.max()) <= size - 0.5 + 1e-3


def test_presizing_has_the_numbers_of_its_text():
    augment = Presize(seed=0, image_size=224)
    assert augment.source_size(224) == 460
    parameters = augment.parameters(0, range(20_000), (460, 460))
    brightness, contrast = parameters[:, 8], parameters[:, 9]
    assert (brightness == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert np.abs(brightness).max() <= np.log(0.6 / 0.4) + 1e-6
    assert 0.8 - 1e-6 <= contrast.min() and contrast.max() <= 1.25 + 1e-6
    tilted = (parameters[:, 6:8] != 0).any(axis=1)
    assert tilted.mean() == pytest.approx(0.75, abs=0.02)
