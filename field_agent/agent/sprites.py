"""The moving figures of the demonstration's scenes, drawn once and pasted in each frame."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

SMOOTH = 3
"""Sprites are drawn this much larger and scaled down, since Pillow's lines have no smooth edges."""
POSES = 12
"""Steps of one stride."""
SKIN: Colour = (222, 184, 150)


@lru_cache(maxsize=256)
def person(height: int, coat: Colour, pose: int, *, walks: bool = True, cap: bool = False) -> Image.Image:
    """A standing or walking figure seen from the side; `pose` counts through one stride."""
    big = height * SMOOTH
    image = Image.new("RGBA", (big * 2 // 3, big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    middle, swing = image.width / 2, math.sin(2 * math.pi * pose / POSES) if walks else 0.0
    dark = (coat[0] // 2, coat[1] // 2, coat[2] // 2)
    limb = max(2, big // 11)
    hip, shoulder, foot = big * 0.55, big * 0.25, big * 0.98
    for side in (-1, 1):
        knee = (middle + side * swing * big * 0.08, big * 0.76)
        toe = (middle + side * swing * big * 0.16, foot - abs(swing) * big * 0.015)
        draw.line([(middle, hip), knee, toe], fill=dark, width=limb, joint="curve")
        draw.ellipse([toe[0] - limb * 0.6, toe[1] - limb * 0.5, toe[0] + limb * 0.9, toe[1] + limb * 0.2], fill=dark)
    draw.rounded_rectangle(
        [middle - big * 0.11, big * 0.18, middle + big * 0.11, hip + big * 0.03], radius=big * 0.06, fill=coat
    )
    for side in (-1, 1):
        hand = (middle - side * swing * big * 0.13, big * 0.5)
        draw.line([(middle, shoulder), hand], fill=dark if side < 0 else coat, width=limb)
        draw.ellipse([hand[0] - limb / 2, hand[1] - limb / 2, hand[0] + limb / 2, hand[1] + limb / 2], fill=SKIN)
    draw.ellipse([middle - big * 0.075, big * 0.02, middle + big * 0.075, big * 0.17], fill=SKIN)
    if cap:
        draw.pieslice([middle - big * 0.085, big * 0.0, middle + big * 0.085, big * 0.16], 180, 360, fill=dark)
        draw.rectangle([middle, big * 0.07, middle + big * 0.12, big * 0.09], fill=dark)
    return image.resize((image.width // SMOOTH, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=64)
def car(length: int, colour: Colour, *, to_left: bool = False, roof_lamp: bool = False) -> Image.Image:
    """A car from the side."""
    wide, high = length * SMOOTH, length * SMOOTH // 3
    image = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    shade = (colour[0] * 2 // 3, colour[1] * 2 // 3, colour[2] * 2 // 3)
    draw.polygon(
        [(wide * x, high * y) for x, y in ((0.16, 0.45), (0.30, 0.10), (0.68, 0.10), (0.84, 0.45))], fill=shade
    )
    draw.polygon(
        [(wide * x, high * y) for x, y in ((0.22, 0.45), (0.33, 0.17), (0.48, 0.17), (0.48, 0.45))], fill=GLASS
    )
    draw.polygon(
        [(wide * x, high * y) for x, y in ((0.51, 0.45), (0.51, 0.17), (0.66, 0.17), (0.76, 0.45))], fill=GLASS
    )
    draw.rounded_rectangle([0, high * 0.42, wide, high * 0.82], radius=high * 0.14, fill=colour)
    draw.rectangle([wide * 0.96, high * 0.50, wide, high * 0.60], fill=(255, 240, 190))
    draw.rectangle([0, high * 0.50, wide * 0.03, high * 0.60], fill=(200, 50, 40))
    for wheel in (0.22, 0.78):
        x, y, radius = wide * wheel, high * 0.80, high * 0.19
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(24, 24, 28))
        draw.ellipse([x - radius / 2, y - radius / 2, x + radius / 2, y + radius / 2], fill=(150, 154, 160))
    if roof_lamp:
        draw.rectangle([wide * 0.42, 0, wide * 0.50, high * 0.10], fill=(220, 40, 40))
        draw.rectangle([wide * 0.50, 0, wide * 0.58, high * 0.10], fill=(50, 90, 230))
    small = image.resize((length, length // 3), Image.Resampling.LANCZOS)
    return small.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if to_left else small


GLASS: Colour = (70, 92, 112)


@lru_cache(maxsize=16)
def forklift(size: int, lift: int, *, to_left: bool = False) -> Image.Image:
    """A forklift with a pallet, its fork `lift` pixels up."""
    big = size * SMOOTH
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    yellow, black = (235, 176, 32), (28, 28, 30)
    up = lift * SMOOTH
    draw.rectangle([big * 0.08, big * 0.52, big * 0.58, big * 0.84], fill=yellow)
    draw.line(
        [(big * 0.14, big * 0.52), (big * 0.18, big * 0.14), (big * 0.50, big * 0.14), (big * 0.56, big * 0.52)],
        fill=black,
        width=big // 30,
    )
    draw.rectangle([big * 0.26, big * 0.34, big * 0.40, big * 0.60], fill=(46, 70, 110))
    draw.ellipse([big * 0.28, big * 0.22, big * 0.39, big * 0.33], fill=SKIN)
    draw.rectangle([big * 0.61, big * 0.10, big * 0.65, big * 0.88], fill=black)
    draw.rectangle([big * 0.65, big * 0.86 - up, big * 0.97, big * 0.89 - up], fill=black)
    draw.rectangle([big * 0.68, big * 0.62 - up, big * 0.95, big * 0.86 - up], fill=(176, 128, 74))
    draw.line([(big * 0.68, big * 0.74 - up), (big * 0.95, big * 0.74 - up)], fill=(120, 84, 44), width=big // 60)
    for x in (0.20, 0.50):
        draw.ellipse([big * (x - 0.09), big * 0.76, big * (x + 0.09), big * 0.94], fill=black)
    small = image.resize((size, size), Image.Resampling.LANCZOS)
    return small.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if to_left else small


def put(frame: Image.Image, sprite: Image.Image, x: float, ground: float) -> None:
    """Paste a sprite with its feet at (`x`, `ground`)."""
    frame.paste(sprite, (round(x - sprite.width / 2), round(ground - sprite.height)), sprite)
