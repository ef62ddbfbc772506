"""Parts of drawn animal faces: fur, ears, eyes, muzzle, whiskers.

Coordinates are those of `drawing.Pen`: the head is about one unit in radius.
"""

import numpy as np

from thaw.demo.drawing import shade

INK = (25, 20, 20)
PINK = (225, 150, 150)

FUR_COLORS = [
    (60, 55, 55),
    (120, 85, 55),
    (170, 120, 70),
    (205, 150, 85),
    (225, 190, 140),
    (235, 230, 220),
    (150, 150, 155),
    (95, 90, 95),
    (190, 95, 45),
]


def random_fur(rng):
    """Returns one fur colour with a little chance in it."""
    base = FUR_COLORS[rng.integers(len(FUR_COLORS))]
    return shade(base, rng.uniform(0.85, 1.15))


def draw_ears(pen, rng, kind, fur, inner):
    """Draws a pair: pointed, folded, floppy, pricked, round or long."""
    spread = rng.uniform(0.9, 1.1)
    for side in (-1, 1):
        x = side * spread
        lean = rng.normal(0, 0.05)
        if kind == "pointed":
            tip = (x * 0.82 + lean, -rng.uniform(1.3, 1.6))
            pen.polygon([(x * 0.95, -0.35), tip, (x * 0.2, -0.85)], fur)
            middle = np.array([x * 0.65, -0.75])
            points = np.array([(x * 0.9, -0.45), tip, (x * 0.3, -0.85)])
            pen.polygon(middle + 0.6 * (points - middle), inner)
        elif kind == "folded":
            fold = (x * 0.95 + lean, -0.62)
            pen.polygon(
                [(x * 0.98, -0.3), (x * 0.8, -1.08), (x * 0.2, -0.85)], fur
            )
            pen.polygon(
                [(x * 0.8, -1.08), fold, (x * 0.3, -0.75)], shade(fur, 0.75)
            )
        elif kind == "pricked":
            tip = (x * 0.75 + lean, -rng.uniform(1.4, 1.75))
            pen.polygon([(x * 0.85, -0.5), tip, (x * 0.3, -0.85)], fur)
            pen.polygon(
                [(x * 0.75, -0.7), tip, (x * 0.45, -0.9)], shade(fur, 0.7)
            )
        elif kind == "floppy":
            length, tilt = rng.uniform(0.6, 0.95), side * rng.uniform(-30, 5)
            pen.ellipse(
                x * 1.0, -0.1 + lean, 0.3, length, shade(fur, 0.75), tilt
            )
        elif kind == "round":
            radius = rng.uniform(0.3, 0.5)
            pen.ellipse(x * 0.72, -0.8 + lean, radius, radius, fur)
            pen.ellipse(x * 0.72, -0.8, radius * 0.55, radius * 0.55, inner)
        elif kind == "long":
            length, tilt = rng.uniform(0.65, 1.0), side * rng.uniform(0, 25)
            pen.ellipse(x * 0.4, -1.3, 0.22, length, fur, tilt)
            pen.ellipse(x * 0.4, -1.3, 0.1, length * 0.75, inner, tilt)
        else:
            raise ValueError(f"Unknown ears: {kind!r}")


def draw_head(pen, rng, fur, marks):
    """Draws the head and its fur: plain, stripes, spots, patch or mask."""
    tall = rng.uniform(0.85, 1.0)
    pen.ellipse(0, 0, 1, tall, fur)
    dark = shade(fur, rng.uniform(0.45, 0.7))
    if marks == "stripes":
        for x in (-0.3, 0, 0.3):
            pen.line([(x, -0.85), (x * 0.8, -0.45)], dark, 0.09)
        for side in (-1, 1):
            for y in (0.05, 0.28):
                pen.line([(side * 0.95, y), (side * 0.6, y + 0.05)], dark, 0.08)
    elif marks == "spots":
        for _ in range(rng.integers(4, 10)):
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.75)
            radius = rng.uniform(0.06, 0.16)
            pen.ellipse(
                far * np.cos(angle), far * np.sin(angle), radius, radius, dark
            )
    elif marks == "patch":
        side = rng.choice([-1, 1])
        color = (240, 235, 225) if sum(fur) < 380 else dark
        pen.ellipse(side * 0.42, -0.22, 0.42, 0.45, color)
    elif marks == "mask":
        pen.ellipse(0, 0.2, 0.62, 0.6, dark)
    elif marks == "blaze":
        pen.ellipse(0, -0.3, 0.18, 0.6, (240, 235, 225))


def draw_eyes(pen, rng, kind, iris):
    """Draws a pair of eyes: round, slit (upright pupils) or closed."""
    apart, y = rng.uniform(0.32, 0.45), rng.uniform(-0.28, -0.1)
    radius = rng.uniform(0.13, 0.2)
    look = rng.uniform(-0.05, 0.05)
    for side in (-1, 1):
        x = side * apart
        if kind == "closed":
            pen.arc(x, y, radius, 20, 160, INK, 0.06)
            continue
        if kind == "slit":
            pen.ellipse(x, y, radius * 1.25, radius, iris, side * -15)
            pen.ellipse(x + look, y, radius * 0.28, radius * 0.9, INK)
        elif kind == "round":
            pen.ellipse(x, y, radius, radius, iris)
            pen.ellipse(x + look, y, radius * 0.6, radius * 0.6, INK)
        else:
            raise ValueError(f"Unknown eyes: {kind!r}")
        pen.ellipse(x + 0.05, y - 0.05, 0.035, 0.035, (255, 255, 255))


def draw_whiskers(pen, rng, length):
    """Draws three whiskers a side, light or dark."""
    color = (245, 245, 245) if rng.random() < 0.5 else (40, 40, 40)
    for side in (-1, 1):
        for slope in (-0.12, 0.02, 0.16):
            start = (side * 0.25, 0.38 + slope * 0.4)
            end = (
                side * (0.25 + length),
                0.36 + slope * 2 + rng.normal(0, 0.04),
            )
            pen.line([start, end], color, 0.03)


def draw_mouth(pen, y, width, color=INK):
    """Draws the two arcs under a nose."""
    for side in (-1, 1):
        pen.arc(side * width, y, width, 10, 170, color, 0.05)
