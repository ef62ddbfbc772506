"""A pen with its own coordinates, and what surrounds a drawn thing.

The demo set and the source task `vgg16_tiny` was pretrained on are drawn with
these few functions, each a pure function of its random generator.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Color = tuple[int, ...]  # R, G, B in [0, 255]
OVERSAMPLING = 2  # drawn larger, then reduced: smooth edges for little time


class Pen:
    """Draws polygons in units of the thing's own size.

    (0, 0) is the middle of the thing, x grows to the right, y down. The thing
    is `scale` pixels from its middle to its rim, `stretch` times as wide as
    high, and turned by `angle_degrees`.
    """

    def __init__(self, image, center, scale, angle_degrees=0.0, stretch=1.0):
        self._draw = ImageDraw.Draw(image)
        turn = np.deg2rad(angle_degrees)
        self._matrix = scale * (
            np.array(
                [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
            )
            @ np.diag([stretch, 1.0])
        )
        self._center = np.asarray(center, dtype="float64")
        self._scale = scale

    def _pixels(self, points):
        pixels = np.asarray(points) @ self._matrix.T + self._center
        return [tuple(point) for point in pixels]

    def polygon(self, points, fill):
        self._draw.polygon(self._pixels(points), fill=fill)

    def line(self, points, fill, width):
        self._draw.line(
            self._pixels(points),
            fill=fill,
            width=max(1, round(width * self._scale)),
            joint="curve",
        )

    def ellipse(self, x, y, radius_x, radius_y, fill, angle_degrees=0.0):
        around = np.linspace(0, 2 * np.pi, 36, endpoint=False)
        turn = np.deg2rad(angle_degrees)
        rim_x, rim_y = radius_x * np.cos(around), radius_y * np.sin(around)
        self.polygon(
            np.stack(
                [
                    x + rim_x * np.cos(turn) - rim_y * np.sin(turn),
                    y + rim_x * np.sin(turn) + rim_y * np.cos(turn),
                ],
                axis=1,
            ),
            fill,
        )

    def arc(self, x, y, radius, from_degrees, to_degrees, fill, width):
        around = np.deg2rad(np.linspace(from_degrees, to_degrees, 14))
        self.line(
            np.stack(
                [x + radius * np.cos(around), y + radius * np.sin(around)], 1
            ),
            fill,
            width,
        )


def shade(color: Color, factor: float) -> Color:
    """Returns `color` (R, G, B) darkened (factor < 1) or lightened (> 1)."""
    return tuple(int(np.clip(channel * factor, 0, 255)) for channel in color)


def random_color(
    rng: np.random.Generator, low: int = 30, high: int = 240
) -> Color:
    """Returns a random (R, G, B) of ints in [low, high)."""
    return tuple(int(channel) for channel in rng.integers(low, high, 3))


def draw_photo(
    rng: np.random.Generator, draw_thing: Callable, size: tuple[int, int]
) -> Image.Image:
    """Returns a photo of one thing: background, clutter, thing, light, noise.

    Args:
        rng: `np.random.Generator`; every choice is drawn from it.
        draw_thing: Function of (rng, pen) that draws the thing; the `Pen` has
            a random place, size and pose.
        size: (width, height) in pixels.

    Returns:
        A `PIL.Image.Image` in RGB of that size.
    """
    width, height = (OVERSAMPLING * side for side in size)
    image = _background(rng, width, height)
    _clutter(rng, image, int(rng.integers(0, 6)), largest=0.28)

    scale = min(width, height) * rng.uniform(0.21, 0.36)
    center = (
        width / 2 + rng.uniform(-0.16, 0.16) * width,
        height / 2 + rng.uniform(-0.12, 0.14) * height,
    )
    pen = Pen(image, center, scale, rng.normal(0, 13), rng.uniform(0.85, 1.18))
    draw_thing(rng, pen)

    _clutter(rng, image, int(rng.integers(0, 3)), largest=0.14)
    image = image.resize(size, Image.Resampling.BOX)
    return _light_and_noise(rng, image)


def _background(rng, width, height):
    kind = rng.choice(["gradient", "room", "meadow", "wallpaper", "blurred"])
    top, bottom = random_color(rng), random_color(rng)
    down = np.linspace(0, 1, height)[:, None, None]
    pixels = (1 - down) * np.array(top) + down * np.array(bottom)
    pixels = np.repeat(pixels, width, axis=1).astype("uint8")
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    if kind == "room":
        floor = int(height * rng.uniform(0.55, 0.9))
        draw.rectangle([0, floor, width, height], fill=random_color(rng))
        left = int(width * rng.uniform(0, 0.7))
        box = [left, height * 0.08, left + width * 0.25, height * 0.4]
        draw.rectangle(box, fill=random_color(rng, 120, 250))
    elif kind == "meadow":
        horizon = int(height * rng.uniform(0.3, 0.7))
        green = (int(rng.integers(40, 110)), int(rng.integers(110, 190)), 50)
        draw.rectangle([0, horizon, width, height], fill=green)
        for _ in range(60):
            x, y = rng.uniform(0, width), rng.uniform(horizon, height)
            tip = (x + rng.normal(0, 5), y - rng.uniform(8, 22))
            draw.line(
                [(x, y), tip], fill=shade(green, rng.uniform(0.6, 1.4)), width=2
            )
    elif kind == "wallpaper":
        step, ink = int(rng.integers(14, 40)), random_color(rng)
        for x in range(0, width, step):
            draw.line([(x, 0), (x, height)], fill=ink, width=step // 4)
        if rng.random() < 0.5:
            for y in range(0, height, step):
                draw.line([(0, y), (width, y)], fill=ink, width=step // 4)
    elif kind == "blurred":
        _clutter(rng, image, 14, largest=0.5)
        image = image.filter(ImageFilter.BoxBlur(int(rng.integers(6, 14))))
    return image


def _clutter(rng, image, count, largest):
    """Draws `count` shapes, each up to `largest` of the image's width."""
    width, height = image.size
    for _ in range(count):
        center = (rng.uniform(0, width), rng.uniform(0, height))
        scale = width * rng.uniform(0.03, largest) / 2
        pen = Pen(
            image, center, scale, rng.uniform(0, 360), rng.uniform(0.5, 2)
        )
        ink = random_color(rng)
        corners = int(rng.integers(2, 8))
        if corners == 2:
            pen.line([(-1, 0), (1, rng.uniform(-0.5, 0.5))], ink, 0.2)
        elif corners == 7:
            pen.ellipse(0, 0, 1, 1, ink)
        else:
            around = np.sort(rng.uniform(0, 2 * np.pi, corners + 1))
            pen.polygon(np.stack([np.cos(around), np.sin(around)], 1), ink)


def _light_and_noise(rng, image):
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    pixels = np.asarray(image, dtype="float32")
    height, width, _ = pixels.shape
    slope = rng.uniform(-0.3, 0.3, 2)
    light = (
        rng.uniform(0.6, 1.25)
        + slope[0] * np.linspace(-1, 1, width)[None, :, None]
        + slope[1] * np.linspace(-1, 1, height)[:, None, None]
    )
    pixels = pixels * light * rng.uniform(0.88, 1.12, 3)  # colour of the light
    pixels = 128 + (pixels - 128) * rng.uniform(0.65, 1.15)  # contrast
    pixels = pixels + rng.normal(0, rng.uniform(1, 12), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))
