"""Objects, plants and small animals of the source task."""

import numpy as np

from thaw.demo import faces
from thaw.demo.drawing import random_color, shade

WHITE = (245, 245, 245)


def draw_house(rng, pen):
    wall = random_color(rng)
    pen.polygon([(-0.8, -0.2), (0.8, -0.2), (0.8, 1), (-0.8, 1)], wall)
    pen.polygon([(-1, -0.2), (1, -0.2), (0, -1)], random_color(rng))
    pen.polygon(
        [(-0.2, 0.4), (0.2, 0.4), (0.2, 1), (-0.2, 1)], random_color(rng)
    )
    for side in (-1, 1):
        x = side * 0.5
        window = [
            (x - 0.15, 0),
            (x + 0.15, 0),
            (x + 0.15, 0.3),
            (x - 0.15, 0.3),
        ]
        pen.polygon(window, random_color(rng, 150, 255))


def draw_car(rng, pen):
    paint = random_color(rng)
    pen.polygon(
        [(-0.6, -0.4), (0.4, -0.4), (0.7, 0), (-0.8, 0)], shade(paint, 0.8)
    )
    pen.polygon(
        [(-0.5, -0.3), (0.3, -0.3), (0.5, 0), (-0.6, 0)], (190, 220, 240)
    )
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
    pen.polygon(
        [(-1, 0.3), (1, 0.3), (0.6, 0.8), (-0.6, 0.8)], random_color(rng)
    )
    pen.line([(0, 0.3), (0, -1.1)], (90, 60, 40), 0.08)
    pen.polygon(
        [(0.08, -1.1), (0.08, 0.15), (0.8, 0.15)], random_color(rng, 120, 255)
    )
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
        pen.ellipse(
            0.68 * np.cos(turn), 0.68 * np.sin(turn), 0.06, 0.06, faces.INK
        )
    for length in (0.4, 0.6):
        turn = rng.uniform(0, 2 * np.pi)
        tip = (length * np.cos(turn), length * np.sin(turn))
        pen.line([(0, 0), tip], faces.INK, 0.08)
