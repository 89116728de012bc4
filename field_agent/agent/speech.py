"""A voice-like sound for the demonstration: syllables of a pulsing source through moving formants, no words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000

Samples = NDArray[np.float64]

_VOWELS = ((800, 1200, 2500), (300, 2300, 3000), (350, 800, 2400), (500, 1800, 2500), (500, 900, 2450))
"""First three formants (Hz) of a, i, u, e, o."""


def _syllable(chance: np.random.Generator, length: int, pitch: float) -> Samples:
    """One syllable: harmonics of a falling pitch, louder near the formants of a vowel gliding to another."""
    time = np.arange(length) / SAMPLE_RATE
    glide = np.linspace(0, 1, length)
    first, second = (np.array(_VOWELS[int(chance.integers(len(_VOWELS)))]) for _ in range(2))
    fundamental = pitch * (1.08 - 0.16 * glide)
    phase = 2 * np.pi * np.cumsum(fundamental) / SAMPLE_RATE
    sound = np.zeros(length)
    for harmonic in range(1, int(3600 / pitch)):
        frequency = harmonic * fundamental
        gain = np.zeros(length)
        for formant, weight, width in zip(range(3), (1.0, 0.5, 0.25), (90, 120, 170), strict=True):
            centre = first[formant] + (second[formant] - first[formant]) * glide
            gain += weight / (1 + ((frequency - centre) / width) ** 2)
        sound += gain * np.sin(harmonic * phase)
    attack = min(length, int(0.03 * SAMPLE_RATE))
    sound[:attack] += 0.25 * chance.standard_normal(attack) * np.exp(-time[:attack] * 120)
    shaped: Samples = sound * np.sin(np.pi * glide) ** 0.6
    return shaped


def babble(seconds: int, seed: int) -> NDArray[np.int16]:
    """Mono 48 kHz sound of `seconds`: phrases of two to seven syllables with pauses, over a faint room noise."""
    chance = np.random.default_rng(seed)
    total = seconds * SAMPLE_RATE
    track = 0.004 * chance.standard_normal(total)
    pitch = float(chance.uniform(105, 210))
    at = int(0.3 * SAMPLE_RATE)
    while at < total:
        for _ in range(int(chance.integers(2, 8))):
            length = int(chance.uniform(0.12, 0.26) * SAMPLE_RATE)
            if at + length > total - SAMPLE_RATE // 4:
                at = total
                break
            track[at : at + length] += 0.2 * _syllable(chance, length, pitch * float(chance.uniform(0.9, 1.15)))
            at += length
        at += int(chance.uniform(0.4, 1.4) * SAMPLE_RATE)
    return np.asarray(np.clip(track, -0.95, 0.95) * 32_767, dtype=np.int16)
