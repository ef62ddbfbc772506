"""Animals of the source task, none of them a cat or a dog."""

import numpy as np

from thaw.demo import faces
from thaw.demo.drawing import shade

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
    pen.ellipse(
        0, 0.55, 0.62, 0.38, shade((225, 175, 165), rng.uniform(0.7, 1.1))
    )
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


def draw_sheep(rng, pen):
    wool, face = (
        shade((235, 230, 220), rng.uniform(0.7, 1.0)),
        faces.random_fur(rng),
    )
    for side in (-1, 1):
        pen.ellipse(
            side * 1.0, 0.0, 0.42, 0.18, face, side * rng.uniform(10, 50)
        )
    for turn in range(0, 360, 40):
        pen.ellipse(
            0.75 * np.cos(np.deg2rad(turn)),
            0.75 * np.sin(np.deg2rad(turn)) - 0.2,
            0.35,
            0.35,
            wool,
        )
    pen.ellipse(0, 0.2, 0.6, 0.8, face)
    faces.draw_eyes(pen, rng, rng.choice(["round", "closed"]), (200, 170, 90))
    faces.draw_mouth(pen, 0.65, 0.1)


def draw_elephant(rng, pen):
    skin = shade((150, 150, 160), rng.uniform(0.6, 1.2))
    for side in (-1, 1):
        pen.ellipse(side * 1.0, -0.1, 0.55, 0.75, shade(skin, 0.85))
    pen.ellipse(0, -0.1, 0.75, 0.75, skin)
    pen.line(
        [(0, 0.2), (0, 0.8), (rng.uniform(-0.4, 0.4), 1.25)],
        shade(skin, 0.9),
        0.3,
    )
    for side in (-1, 1):
        pen.polygon(
            [(side * 0.3, 0.5), (side * 0.45, 0.5), (side * 0.5, 0.95)], WHITE
        )
    faces.draw_eyes(pen, rng, "round", (80, 60, 40))


def draw_horse(rng, pen):
    fur = faces.random_fur(rng)
    for side in (-1, 1):
        ear = [(side * 0.55, -0.75), (side * 0.5, -1.35), (side * 0.2, -0.85)]
        pen.polygon(ear, fur)
    pen.ellipse(0, -0.3, 0.65, 0.7, fur)
    pen.ellipse(0, 0.5, 0.42, 0.75, fur)
    if rng.random() < 0.6:
        pen.ellipse(0, 0.0, 0.12, 0.7, WHITE)
    pen.ellipse(rng.uniform(-0.2, 0.2), -0.85, 0.3, 0.3, shade(fur, 0.5))
    faces.draw_eyes(pen, rng, "round", (60, 40, 25))
    for side in (-1, 1):
        pen.ellipse(side * 0.18, 1.0, 0.07, 0.1, faces.INK)


def draw_goat(rng, pen):
    fur = faces.random_fur(rng)
    for side in (-1, 1):
        start, end = 90 + side * 90, 90 + side * 200
        pen.arc(side * 0.75, -1.0, 0.5, start, end, (150, 130, 100), 0.13)
        pen.ellipse(side * 0.95, -0.1, 0.2, 0.5, shade(fur, 0.8), side * -40)
    pen.ellipse(0, -0.1, 0.65, 0.8, fur)
    pen.ellipse(0, 0.5, 0.4, 0.45, shade(fur, 1.2))
    faces.draw_eyes(pen, rng, "slit", (215, 180, 70))
    pen.polygon([(-0.12, 0.45), (0.12, 0.45), (0, 0.6)], faces.INK)
    pen.polygon([(-0.2, 0.9), (0.2, 0.9), (0, 1.4)], shade(fur, 0.7))


def draw_squirrel(rng, pen):
    fur = shade((175, 95, 50), rng.uniform(0.6, 1.2))
    side = rng.choice([-1, 1])
    pen.ellipse(side * 1.0, -0.2, 0.45, 1.1, shade(fur, 0.8), side * 15)
    for ear in (-1, 1):
        tip = (ear * 0.55, -1.3)
        pen.polygon([(ear * 0.65, -0.5), tip, (ear * 0.2, -0.7)], fur)
    pen.ellipse(0, 0, 0.8, 0.75, fur)
    pen.ellipse(0, 0.4, 0.45, 0.35, (235, 220, 195))
    faces.draw_eyes(pen, rng, "round", faces.INK)
    pen.ellipse(0, 0.25, 0.1, 0.08, faces.INK)
    faces.draw_whiskers(pen, rng, rng.uniform(0.2, 0.5))
    pen.polygon([(-0.08, 0.45), (0.08, 0.45), (0.08, 0.6), (-0.08, 0.6)], WHITE)


def draw_seal(rng, pen):
    fur = shade((140, 140, 150), rng.uniform(0.5, 1.4))
    pen.ellipse(0, 0, 0.95, 0.9, fur)
    faces.draw_eyes(pen, rng, "round", faces.INK)
    for side in (-1, 1):
        pen.ellipse(side * 0.2, 0.4, 0.28, 0.22, shade(fur, 1.25))
    pen.ellipse(0, 0.24, 0.15, 0.1, faces.INK)
    faces.draw_whiskers(pen, rng, rng.uniform(0.4, 0.9))
    faces.draw_mouth(pen, 0.55, 0.12)


def draw_bat(rng, pen):
    fur = faces.random_fur(rng)
    for side in (-1, 1):
        wing = [
            (side * 0.5, 0),
            (side * 1.5, -0.7),
            (side * 1.6, 0.5),
            (side, 0.3),
        ]
        pen.polygon(wing, shade(fur, 0.6))
        ear = [(side * 0.7, -0.3), (side * 0.75, -1.25), (side * 0.1, -0.6)]
        pen.polygon(ear, fur)
        inner = [(side * 0.6, -0.45), (side * 0.68, -1.0), (side * 0.25, -0.6)]
        pen.polygon(inner, faces.PINK)
    pen.ellipse(0, 0, 0.75, 0.7, fur)
    faces.draw_eyes(pen, rng, "round", (240, 220, 90))
    pen.ellipse(0, 0.18, 0.14, 0.1, shade(fur, 0.5))
    for side in (-1, 1):
        pen.polygon(
            [(side * 0.2, 0.4), (side * 0.1, 0.4), (side * 0.15, 0.6)], WHITE
        )


def draw_koala(rng, pen):
    fur = shade((155, 155, 165), rng.uniform(0.6, 1.3))
    for side in (-1, 1):
        pen.ellipse(side * 0.95, -0.5, 0.5, 0.5, fur)
        pen.ellipse(side * 0.95, -0.5, 0.3, 0.3, (225, 215, 215))
    faces.draw_head(pen, rng, fur, "plain")
    faces.draw_eyes(pen, rng, rng.choice(["round", "closed"]), (90, 60, 40))
    pen.ellipse(0, 0.15, 0.2, 0.36, faces.INK)
    faces.draw_mouth(pen, 0.55, 0.13)
