"""Five places as moving pictures: a courtyard, an office, a warehouse, a car park, a shop front.

Each scene is a still background and a function that puts what moves on it. `moment` runs from 0 to 1 over
the loop, and everything that moves is back at its start when it ends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from field_agent.agent import sprites
from field_agent.agent.sprites import POSES, Colour, put

WIDTH, HEIGHT = 960, 540

OFFICER: Colour = (34, 52, 92)
LOOP_SECONDS = 24


@dataclass(frozen=True, slots=True)
class Scene:
    """One place: its names, its still part and its moving part."""

    name: str
    title_zh: str
    title_en: str
    background: Callable[[], Image.Image]
    animate: Callable[[Image.Image, float], None]


def _gradient(top: Colour, bottom: Colour, height: int) -> Image.Image:
    """A vertical shade over the full width."""
    strip = Image.new("RGB", (1, 2))
    strip.putpixel((0, 0), top)
    strip.putpixel((0, 1), bottom)
    return strip.resize((WIDTH, height), Image.Resampling.BILINEAR)


def _canvas(sky: tuple[Colour, Colour], ground: tuple[Colour, Colour], horizon: int) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.paste(_gradient(*sky, horizon), (0, 0))
    image.paste(_gradient(*ground, HEIGHT - horizon), (0, horizon))
    return image


def _there_and_back(moment: float) -> tuple[float, bool]:
    """How far along (0 to 1), and whether on the way back."""
    return (moment * 2, False) if moment < 0.5 else (2 - moment * 2, True)


def _walker(frame: Image.Image, moment: float, path: tuple[float, float, float], height: int, coat: Colour) -> None:
    """A figure that walks from x0 to x1 on the line `ground` and back."""
    start, end, ground = path
    share, _ = _there_and_back(moment)
    pose = int(moment * LOOP_SECONDS * 1.6 * POSES) % POSES
    put(frame, sprites.person(height, coat, pose, cap=coat == OFFICER), start + (end - start) * share, ground)


def _tree(draw: ImageDraw.ImageDraw, x: int, ground: int, size: int, seed: int) -> None:
    chance = random.Random(seed)
    draw.rectangle([x - size // 14, ground - size // 2, x + size // 14, ground], fill=(78, 58, 42))
    for _ in range(16):
        dx, dy = chance.uniform(-0.34, 0.34) * size, chance.uniform(-0.34, 0.26) * size
        radius, shade = chance.uniform(0.12, 0.22) * size, chance.randrange(-18, 18)
        middle = ground - size * 0.75 + dy
        draw.ellipse(
            [x + dx - radius, middle - radius, x + dx + radius, middle + radius],
            fill=(54 + shade, 104 + shade, 62 + shade // 2),
        )


def _courtyard() -> Image.Image:
    image = _canvas(((122, 168, 214), (214, 226, 232)), ((172, 160, 142), (116, 106, 94)), 330)
    draw = ImageDraw.Draw(image)
    draw.rectangle([90, 60, 620, 340], fill=(196, 156, 124))
    for row in range(4):
        for column in range(8):
            x, y = 116 + column * 63, 82 + row * 62
            lit = (row * 5 + column * 3) % 7 == 0
            draw.rectangle([x, y, x + 38, y + 40], fill=(250, 222, 150) if lit else (84, 106, 128))
            draw.line([(x + 19, y), (x + 19, y + 40)], fill=(226, 218, 206), width=3)
    draw.rectangle([330, 268, 388, 340], fill=(92, 58, 44))
    draw.rectangle([640, 250, 960, 338], fill=(158, 86, 66))
    draw.rectangle([640, 238, 960, 252], fill=(112, 58, 46))
    draw.rectangle([742, 226, 856, 338], fill=(96, 34, 34))
    draw.line([(799, 226), (799, 338)], fill=(40, 16, 16), width=3)
    for line in range(9):
        across = 345 + line * line * 2.5
        draw.line([(0, across), (WIDTH, across)], fill=(138, 128, 112), width=1)
        draw.line([(480 + (line - 4) * 60, 335), (480 + (line - 4) * 260, HEIGHT)], fill=(138, 128, 112), width=1)
    _tree(draw, 62, 372, 220, 1)
    _tree(draw, 690, 360, 170, 2)
    return image


def _courtyard_moves(frame: Image.Image, moment: float) -> None:
    _walker(frame, moment, (180, 560, 390), 118, (150, 70, 60))
    _walker(frame, (moment + 0.3) % 1, (860, 420, 440), 150, OFFICER)
    _walker(frame, (moment + 0.42) % 1, (930, 500, 452), 152, OFFICER)
    _walker(frame, (moment + 0.7) % 1, (80, 860, 520), 196, (86, 104, 70))


def _office() -> Image.Image:
    image = _canvas(((206, 212, 216), (186, 192, 198)), ((122, 126, 136), (92, 96, 106)), 360)
    draw = ImageDraw.Draw(image)
    draw.rectangle([60, 80, 420, 270], fill=(232, 238, 242))
    draw.rectangle([500, 96, 590, 200], fill=(250, 250, 246), outline=(140, 146, 152), width=3)
    draw.rectangle([740, 110, 930, 360], fill=(120, 92, 66))
    for shelf in range(4):
        y = 120 + shelf * 60
        draw.rectangle([750, y, 920, y + 50], fill=(70, 52, 38))
        for book in range(10):
            colours = ((176, 58, 48), (44, 92, 140), (214, 190, 120), (66, 120, 84))
            x = 754 + book * 16
            draw.rectangle([x, y + 8 + book % 3 * 4, x + 13, y + 50], fill=colours[(book + shelf) % 4])
    for lamp in (180, 480, 780):
        draw.rectangle([lamp - 70, 18, lamp + 70, 30], fill=(255, 252, 236))
    return image


def _office_moves(frame: Image.Image, moment: float) -> None:
    draw = ImageDraw.Draw(frame)
    draw.rectangle([68, 88, 412, 262], fill=(150, 190, 224))
    for cloud in range(3):
        x = (cloud * 150 + moment * 450) % 450 + 10
        draw.ellipse([x - 70, 120 + cloud * 36, x + 20, 150 + cloud * 36], fill=(236, 242, 246))
    draw.rectangle([412, 80, 480, 270], fill=(192, 198, 203))
    draw.rectangle([0, 80, 60, 270], fill=(196, 202, 206))
    for slat in range(9):
        draw.line([(68, 92 + slat * 20), (412, 92 + slat * 20)], fill=(222, 226, 228), width=4)
    draw.line([(240, 88), (240, 262)], fill=(222, 226, 228), width=6)
    draw.ellipse([610, 60, 690, 140], fill=(250, 250, 250), outline=(60, 64, 70), width=4)
    for hand, length in ((moment * LOOP_SECONDS / 60, 32), (0.83, 24)):
        angle = 2 * math.pi * hand
        draw.line(
            [(650, 100), (650 + length * math.sin(angle), 100 - length * math.cos(angle))], fill=(30, 30, 34), width=3
        )
    _walker(frame, moment, (40, 900, 410), 190, OFFICER)
    for desk, (x, coat) in enumerate(((150, (170, 96, 70)), (450, (70, 110, 120)), (760, (120, 90, 140)))):
        nod = round(3 * math.sin(2 * math.pi * (moment * 8 + desk / 3)))
        put(frame, sprites.person(170, coat, 0, walks=False), x, 480 + nod)
        draw.rectangle([x - 120, 430, x + 120, 448], fill=(176, 136, 92))
        draw.rectangle([x - 112, 448, x + 112, 516], fill=(134, 102, 70))
        draw.rectangle([x + 24, 366, x + 104, 420], fill=(26, 30, 36))
        for line in range(5):
            long = 14 + (line * 29 + int(moment * 48) * 17 + desk * 11) % 54
            draw.line([(x + 30, 374 + line * 9), (x + 30 + long, 374 + line * 9)], fill=(92, 200, 160), width=3)
        draw.rectangle([x + 60, 420, x + 68, 430], fill=(26, 30, 36))


def _warehouse() -> Image.Image:
    image = _canvas(((52, 58, 66), (84, 90, 96)), ((128, 122, 112), (88, 84, 78)), 372)
    draw = ImageDraw.Draw(image)
    chance = random.Random(3)
    for rack in range(3):
        left = 30 + rack * 320
        for level in range(3):
            y = 110 + level * 88
            for box in range(4):
                x, high = left + 8 + box * 68, chance.randrange(44, 72)
                colour = chance.choice(((182, 134, 78), (160, 112, 62), (66, 108, 156), (150, 60, 52), (96, 128, 84)))
                draw.rectangle([x, y + 80 - high, x + 58, y + 80], fill=colour)
                draw.line([(x + 29, y + 80 - high), (x + 29, y + 80)], fill=(220, 204, 160), width=4)
            draw.rectangle([left, y + 80, left + 280, y + 88], fill=(206, 96, 32))
        for post in (left, left + 276):
            draw.rectangle([post, 96, post + 8, 384], fill=(40, 74, 128))
    for x in range(-200, WIDTH, 160):
        draw.polygon([(x, HEIGHT), (x + 60, HEIGHT), (x + 150, 500), (x + 110, 500)], fill=(198, 166, 40))
    return image


def _warehouse_moves(frame: Image.Image, moment: float) -> None:
    draw = ImageDraw.Draw(frame)
    for lamp in (200, 500, 800):
        sway = 8 * math.sin(2 * math.pi * (moment * 4 + lamp / 500))
        draw.line([(lamp, 0), (lamp + sway, 46)], fill=(20, 20, 22), width=3)
        draw.polygon([(lamp + sway - 34, 66), (lamp + sway + 34, 66), (lamp + sway, 42)], fill=(255, 236, 170))
    share, back = _there_and_back(moment)
    _walker(frame, (moment + 0.5) % 1, (250, 700, 420), 150, OFFICER)
    put(
        frame,
        sprites.forklift(190, round(20 + 20 * math.sin(2 * math.pi * moment) ** 2), to_left=back),
        80 + 800 * share,
        494,
    )
    _walker(frame, (moment + 0.2) % 1, (880, 560, 530), 176, (196, 150, 40))


def _carpark() -> Image.Image:
    image = _canvas(((96, 122, 164), (236, 190, 150)), ((78, 80, 86), (52, 54, 60)), 236)
    draw = ImageDraw.Draw(image)
    for x, wide, high in (
        (0, 150, 150),
        (170, 90, 190),
        (290, 180, 120),
        (520, 110, 205),
        (660, 160, 140),
        (840, 120, 180),
    ):
        draw.rectangle([x, 236 - high, x + wide, 236], fill=(104, 110, 128))
        for row in range(high // 28):
            for column in range(wide // 26):
                tone = (244, 214, 140) if (row * 7 + column * 3 + x) % 5 == 0 else (82, 88, 106)
                draw.rectangle(
                    [x + 8 + column * 26, 244 - high + row * 28, x + 20 + column * 26, 258 - high + row * 28], fill=tone
                )
    for bay in range(8):
        draw.line([(30 + bay * 130, 256), (10 + bay * 134, 340)], fill=(226, 226, 220), width=4)
    for line in range(7):
        draw.rectangle([20 + line * 150, 424, 100 + line * 150, 430], fill=(236, 200, 60))
    colours = ((190, 44, 40), (232, 232, 228), (40, 66, 110), (30, 32, 36), (150, 156, 162))
    for bay, colour in enumerate(colours):
        put(image, sprites.car(112, colour), 92 + bay * 132 + (bay > 2) * 130, 330)
    return image


def _carpark_moves(frame: Image.Image, moment: float) -> None:
    draw = ImageDraw.Draw(frame)
    _walker(frame, (moment + 0.15) % 1, (330, 610, 372), 104, OFFICER)
    _walker(frame, (moment + 0.55) % 1, (560, 900, 380), 104, (190, 120, 40))
    across = (moment * 2) % 1
    put(frame, sprites.car(230, (214, 216, 220), roof_lamp=True), -140 + across * 1240, 420)
    put(frame, sprites.car(280, (120, 36, 44), to_left=True), 1120 - ((moment * 3 + 0.4) % 1) * 1300, 520)
    open_share = max(0.0, math.sin(4 * math.pi * moment))
    angle = open_share * 1.2
    draw.rectangle([866, 338, 890, 420], fill=(230, 150, 30))
    tip = (878 - 230 * math.cos(angle), 350 - 230 * math.sin(angle))
    draw.line([(878, 350), tip], fill=(240, 240, 236), width=9)
    for stripe in range(1, 6):
        x, y = 878 + (tip[0] - 878) * stripe / 6, 350 + (tip[1] - 350) * stripe / 6
        draw.ellipse([x - 6, y - 6, x + 6, y + 6], fill=(206, 44, 40))


def _shopfront() -> Image.Image:
    image = _canvas(((30, 34, 58), (66, 58, 86)), ((92, 88, 96), (58, 56, 64)), 390)
    draw = ImageDraw.Draw(image)
    draw.rectangle([60, 40, 900, 396], fill=(116, 84, 78))
    draw.rectangle([90, 150, 520, 392], fill=(252, 226, 160))
    draw.rectangle([660, 150, 870, 392], fill=(246, 214, 150))
    for shelf in range(3):
        y = 214 + shelf * 56
        draw.rectangle([100, y, 510, y + 6], fill=(140, 92, 50))
        for item in range(13):
            colours = ((190, 50, 60), (60, 130, 90), (60, 90, 170), (230, 160, 50), (240, 240, 230))
            x = 106 + item * 31
            draw.rounded_rectangle([x, y - 34 + item % 3 * 5, x + 20, y], 5, fill=colours[(item * 2 + shelf) % 5])
    for stripe in range(22):
        x = 76 + stripe * 37
        draw.polygon(
            [(x + 14, 112), (x + 51, 112), (x + 37, 152), (x, 152)],
            fill=(196, 44, 48) if stripe % 2 else (244, 240, 232),
        )
    draw.rectangle([0, 440, WIDTH, 448], fill=(140, 136, 140))
    draw.rectangle([0, 448, WIDTH, HEIGHT], fill=(46, 48, 54))
    return image


def _shopfront_moves(frame: Image.Image, moment: float) -> None:
    draw = ImageDraw.Draw(frame)
    for bulb in range(28):
        lit = (bulb + int(moment * LOOP_SECONDS * 4)) % 4 == 0
        x = 90 + bulb * 29
        draw.ellipse([x - 7, 92, x + 7, 106], fill=(255, 236, 140) if lit else (130, 96, 60))
    draw.rounded_rectangle([180, 48, 780, 88], 10, fill=(160, 24, 36), outline=(250, 210, 110), width=3)
    for stroke in range(9):
        draw.rectangle([214 + stroke * 62, 58, 250 + stroke * 62, 78], fill=(250, 214, 120))
    gap = round(60 * max(0.0, math.sin(4 * math.pi * moment)))
    draw.rectangle([530, 150, 650, 392], fill=(70, 50, 44))
    draw.rectangle([532 - gap // 2, 154, 588 - gap, 390], fill=(150, 190, 200))
    draw.rectangle([592 + gap, 154, 648 + gap // 2, 390], fill=(150, 190, 200))
    _walker(frame, (moment + 0.1) % 1, (592, 300, 420), 168, (220, 220, 214))
    _walker(frame, (moment + 0.5) % 1, (120, 840, 436), 184, OFFICER)
    _walker(frame, (moment + 0.8) % 1, (900, 200, 444), 180, (150, 60, 110))
    put(frame, sprites.car(300, (220, 170, 30)), -160 + ((moment * 2 + 0.2) % 1) * 1300, 528)


SCENES = {
    scene.name: scene
    for scene in (
        Scene("courtyard", "住宅院落", "Residential courtyard", _courtyard, _courtyard_moves),
        Scene("office", "公司办公室", "Company office", _office, _office_moves),
        Scene("warehouse", "物流仓库", "Logistics warehouse", _warehouse, _warehouse_moves),
        Scene("carpark", "停车场", "Car park", _carpark, _carpark_moves),
        Scene("shopfront", "临街商铺", "Shop front", _shopfront, _shopfront_moves),
    )
}
