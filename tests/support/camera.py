"""A film for Chromium's fake camera: 1280x720, as detailed and moving as a street, unlike the built-in test picture."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 1280, 720
FRAMES = 60


def make_film(path: Path, *, seed: int = 7) -> Path:
    """Write a motion-JPEG that loops every two seconds: drifting texture, moving blocks, sensor noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    texture = np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))
    with av.open(str(path), "w", format="mjpeg") as film:
        stream = film.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        stream.options = {"qscale": "4"}
        for number in range(FRAMES):
            shift = round(np.sin(2 * np.pi * number / FRAMES) * 90)
            picture = np.roll(texture, shift, axis=1).astype(np.int16)
            picture += random.integers(-12, 12, picture.shape, dtype=np.int16)
            left = (number * WIDTH // FRAMES) % (WIDTH - 200)
            picture[200:420, left : left + 200] = 230
            frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="rgb24")
            film.mux(stream.encode(frame.reformat(format="yuvj420p")))
        film.mux(stream.encode(None))
    return path
