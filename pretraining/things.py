"""The source task: 20 kinds of drawn things, none of them a cat or a dog."""

import numpy as np

from input_pipeline import drawing, faces
from input_pipeline.drawing import random_color, shade

WHITE = (245, 245, 245)


def draw_bear(rng, pen):
    fur = faces.random_fur(rng)
    faces.draw_ears(pen, rng, "round", fur, shade(fur, 0.7))
    faces.draw_head(pen, rng, fur, "plain")
    faces.draw_eyes(pen, rng, "round", (60, 40, 30))
    pen.ellipse(0, 0.4, 0.38, 0.32, shade(fur, 1.35))
    pen.ellipse(0, 0.26, 0.15, 0.1, faces.INK)
    faces.draw_mouth(pen, 0.45, 0.12)


def draw_rabbit(rng, pen):
    fur = faces.random_fur(rng)
    faces.draw_ears(pen, rng, "long", fur, faces.PINK)
    faces.draw_head(pen, rng, fur, rng.choice(["plain", "patch", "blaze"]))
    faces.draw_eyes(pen, rng, "round", (150, 60, 60))
    pen.polygon([(-0.08, 0.22), (0.08, 0.22), (0, 0.32)], faces.PINK)
    faces.draw_mouth(pen, 0.38, 0.12)
    faces.draw_whiskers(pen, rng, rng.uniform(0.4, 0.8))
    pen.polygon([(-0.1, 0.5), (0.1, 0.5), (0.1, 0.75), (-0.1, 0.75)], WHITE)


def draw_mouse(rng, pen):
    fur = faces.random_fur(rng)
    for side in (-1, 1):
        pen.ellipse(side * 0.85, -0.75, 0.55, 0.55, fur)
        pen.ellipse(side * 0.85, -0.75, 0.35, 0.35, faces.PINK)
    pen.polygon([(-0.85, -0.3), (0.85, -0.3), (0, 1.0)], fur)
    pen.ellipse(0, -0.2, 0.85, 0.6, fur)
    faces.draw_eyes(pen, rng, "round", faces.INK)
    faces.draw_whiskers(pen, rng, rng.uniform(0.5, 1.0))
    pen.ellipse(0, 0.92, 0.13, 0.1, faces.PINK)


def draw_pig(rng, pen):
    skin = shade((235, 165, 165), rng.uniform(0.7, 1.1))
    for side in (-1, 1):
        points = [(side * 0.95, -0.5), (side * 0.9, -1.1), (side * 0.3, -0.8)]
        pen.polygon(points, shade(skin, 0.8))
    faces.draw_head(pen, rng, skin, rng.choice(["plain", "spots"]))
    faces.draw_eyes(pen, rng, "round", (50, 50, 60))
    pen.ellipse(0, 0.3, 0.4, 0.28, shade(skin, 0.85))
    for side in (-1, 1):
        pen.ellipse(side * 0.15, 0.3, 0.07, 0.11, shade(skin, 0.4))


def draw_monkey(rng, pen):
    fur = faces.random_fur(rng)
    face = shade((225, 180, 140), rng.uniform(0.6, 1.1))
    for side in (-1, 1):
        pen.ellipse(side * 1.05, -0.05, 0.3, 0.35, face)
    faces.draw_head(pen, rng, fur, "plain")
    for side in (-1, 1):
        pen.ellipse(side * 0.3, -0.2, 0.36, 0.4, face)
    pen.ellipse(0, 0.4, 0.6, 0.42, face)
    faces.draw_eyes(pen, rng, "round", (70, 45, 30))
    pen.arc(0, 0.35, 0.35, 20, 160, faces.INK, 0.06)


def draw_panda(rng, pen):
    faces.draw_ears(pen, rng, "round", faces.INK, faces.INK)
    faces.draw_head(pen, rng, WHITE, "plain")
    for side in (-1, 1):
        pen.ellipse(side * 0.4, -0.15, 0.24, 0.32, faces.INK, side * 25)
    faces.draw_eyes(pen, rng, "round", (90, 70, 50))
    pen.ellipse(0, 0.3, 0.14, 0.1, faces.INK)
    faces.draw_mouth(pen, 0.45, 0.13)


def draw_cow(rng, pen):
    fur = faces.random_fur(rng)
    for side in (-1, 1):
        pen.ellipse(side * 1.05, -0.4, 0.4, 0.2, fur, side * 20)
        horn = [(side * 0.35, -0.8), (side * 0.75, -1.4), (side * 0.6, -0.7)]
        pen.polygon(horn, (230, 220, 190))
    faces.draw_head(pen, rng, fur, rng.choice(["spots", "patch", "blaze"]))
    faces.draw_eyes(pen, rng, "round", (60, 40, 30))
    pen.ellipse(0, 0.55, 0.62, 0.38, shade((225, 175, 165), rng.uniform(0.7, 1.1)))
    for side in (-1, 1):
        pen.ellipse(side * 0.25, 0.5, 0.09, 0.07, faces.INK)


def draw_owl(rng, pen):
    feathers = faces.random_fur(rng)
    pen.ellipse(0, 0.2, 0.85, 1.1, feathers)
    for side in (-1, 1):
        pen.ellipse(side * 0.4, -0.3, 0.42, 0.42, shade(feathers, 1.4))
        pen.ellipse(side * 0.4, -0.3, 0.28, 0.28, (235, 190, 60))
        pen.ellipse(side * 0.4, -0.3, 0.15, 0.15, faces.INK)
        pen.ellipse(side * 0.8, 0.5, 0.2, 0.6, shade(feathers, 0.7))
    pen.polygon([(-0.12, -0.1), (0.12, -0.1), (0, 0.2)], (235, 160, 50))


def draw_frog(rng, pen):
    skin = (int(rng.integers(50, 130)), int(rng.integers(120, 210)), 60)
    for side in (-1, 1):
        pen.ellipse(side * 0.5, -0.65, 0.32, 0.32, skin)
        pen.ellipse(side * 0.5, -0.68, 0.2, 0.2, (240, 230, 120))
        pen.ellipse(side * 0.5, -0.68, 0.16, 0.06, faces.INK)
    pen.ellipse(0, 0, 1.1, 0.75, skin)
    pen.arc(0, -0.05, 0.7, 20, 160, faces.INK, 0.06)


def draw_chick(rng, pen):
    down = (int(rng.integers(200, 250)), int(rng.integers(160, 230)), 60)
    pen.ellipse(0, 0.1, 0.9, 0.9, down)
    for x in (-0.15, 0, 0.15):
        pen.line([(0, -0.75), (x, -1.1)], shade(down, 0.8), 0.07)
    faces.draw_eyes(pen, rng, "round", faces.INK)
    pen.polygon([(-0.2, 0.15), (0.2, 0.15), (0, 0.42)], (235, 130, 40))


def draw_house(rng, pen):
    wall = random_color(rng)
    pen.polygon([(-0.8, -0.2), (0.8, -0.2), (0.8, 1), (-0.8, 1)], wall)
    pen.polygon([(-1, -0.2), (1, -0.2), (0, -1)], random_color(rng))
    pen.polygon([(-0.2, 0.4), (0.2, 0.4), (0.2, 1), (-0.2, 1)], random_color(rng))
    for side in (-1, 1):
        x = side * 0.5
        window = [(x - 0.15, 0), (x + 0.15, 0), (x + 0.15, 0.3), (x - 0.15, 0.3)]
        pen.polygon(window, random_color(rng, 150, 255))


def draw_car(rng, pen):
    paint = random_color(rng)
    pen.polygon([(-0.6, -0.4), (0.4, -0.4), (0.7, 0), (-0.8, 0)], shade(paint, 0.8))
    pen.polygon([(-0.5, -0.3), (0.3, -0.3), (0.5, 0), (-0.6, 0)], (190, 220, 240))
    pen.polygon([(-1.1, 0), (1.1, 0), (1.1, 0.45), (-1.1, 0.45)], paint)
    for x in (-0.6, 0.6):
        pen.ellipse(x, 0.45, 0.26, 0.26, faces.INK)
        pen.ellipse(x, 0.45, 0.12, 0.12, (200, 200, 200))


def draw_tree(rng, pen):
    bark = (int(rng.integers(80, 130)), 70, 40)
    leaf = (int(rng.integers(30, 200)), int(rng.integers(100, 190)), 40)
    pen.polygon([(-0.15, 0.1), (0.15, 0.1), (0.2, 1.1), (-0.2, 1.1)], bark)
    for _ in range(rng.integers(3, 7)):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(-0.8, 0.1)
        pen.ellipse(x, y, 0.5, 0.45, shade(leaf, rng.uniform(0.8, 1.2)))


def draw_flower(rng, pen):
    petal, count = random_color(rng, 90, 250), int(rng.integers(5, 9))
    pen.line([(0, 0), (0.1, 1.3)], (60, 140, 60), 0.1)
    for angle in np.arange(count) * 360 / count:
        turn = np.deg2rad(angle)
        pen.ellipse(
            0.55 * np.cos(turn), 0.55 * np.sin(turn), 0.42, 0.2, petal, angle
        )
    pen.ellipse(0, 0, 0.26, 0.26, random_color(rng))


def draw_fish(rng, pen):
    scale, side = random_color(rng), rng.choice([-1, 1])
    pen.polygon([(side * 0.6, 0), (side * 1.2, -0.5), (side * 1.2, 0.5)], scale)
    pen.ellipse(0, 0, 0.9, 0.5, scale)
    for x in np.linspace(-0.2, 0.5, int(rng.integers(1, 5))):
        pen.arc(side * x, 0, 0.35, 120, 240, shade(scale, 0.6), 0.06)
    pen.ellipse(-side * 0.55, -0.1, 0.12, 0.12, WHITE)
    pen.ellipse(-side * 0.55, -0.1, 0.06, 0.06, faces.INK)


def draw_butterfly(rng, pen):
    wing = random_color(rng)
    for side in (-1, 1):
        pen.ellipse(side * 0.55, -0.35, 0.55, 0.5, wing)
        pen.ellipse(side * 0.45, 0.45, 0.4, 0.42, shade(wing, 0.75))
        pen.ellipse(side * 0.6, -0.35, 0.2, 0.2, random_color(rng))
        pen.line([(0, -0.7), (side * 0.3, -1.1)], faces.INK, 0.05)
    pen.ellipse(0, 0, 0.1, 0.75, faces.INK)


def draw_cup(rng, pen):
    glaze, side = random_color(rng), rng.choice([-1, 1])
    pen.arc(side * 0.75, 0.1, 0.35, 0, 360, shade(glaze, 0.8), 0.14)
    pen.polygon([(-0.75, -0.6), (0.75, -0.6), (0.6, 0.8), (-0.6, 0.8)], glaze)
    pen.ellipse(0, -0.6, 0.75, 0.18, shade(glaze, 0.6))
    pen.line([(-0.7, 0.1), (0.7, 0.1)], random_color(rng), 0.14)


def draw_boat(rng, pen):
    pen.polygon([(-1, 0.3), (1, 0.3), (0.6, 0.8), (-0.6, 0.8)], random_color(rng))
    pen.line([(0, 0.3), (0, -1.1)], (90, 60, 40), 0.08)
    pen.polygon([(0.08, -1.1), (0.08, 0.15), (0.8, 0.15)], random_color(rng, 120, 255))
    pen.polygon([(-0.08, -0.9), (-0.08, 0.15), (-0.6, 0.15)], random_color(rng))


def draw_mushroom(rng, pen):
    cap = random_color(rng)
    pen.polygon([(-0.25, 0), (0.25, 0), (0.32, 1), (-0.32, 1)], (235, 225, 200))
    around = np.linspace(np.pi, 2 * np.pi, 20)
    pen.polygon(np.stack([np.cos(around), 0.1 + 0.95 * np.sin(around)], 1), cap)
    for x, y in [(-0.5, -0.2), (0.1, -0.5), (0.5, -0.15), (-0.1, -0.1)]:
        pen.ellipse(x, y, 0.13, 0.12, WHITE)


def draw_clock(rng, pen):
    rim = random_color(rng)
    pen.ellipse(0, 0, 1, 1, rim)
    pen.ellipse(0, 0, 0.82, 0.82, WHITE)
    for turn in np.arange(12) * np.pi / 6:
        pen.ellipse(0.68 * np.cos(turn), 0.68 * np.sin(turn), 0.06, 0.06, faces.INK)
    for length in (0.4, 0.6):
        turn = rng.uniform(0, 2 * np.pi)
        tip = (length * np.cos(turn), length * np.sin(turn))
        pen.line([(0, 0), tip], faces.INK, 0.08)


THINGS = {
    name.removeprefix("draw_"): function
    for name, function in sorted(globals().items())
    if name.startswith("draw_")
}


def draw_source_photos(photos_per_class, size, seed):
    """Returns photos of every kind of thing, and their labels.

    Args:
        photos_per_class: How many of each kind.
        size: Width and height in pixels.
        seed: Other seeds, other photos.

    Returns:
        photos, uint8 (N, size, size, 3), and labels, int32 (N,).
    """
    photos, labels = [], []
    for label, draw in enumerate(THINGS.values()):
        for number in range(photos_per_class):
            rng = np.random.default_rng([seed, label, number])
            photos.append(np.asarray(drawing.draw_photo(rng, draw, (size, size))))
            labels.append(label)
    return np.stack(photos), np.array(labels, dtype="int32")
