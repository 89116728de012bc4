"""Finds whole fragments in the bytes at a file's end that its manifest doesn't tell of."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from streams.recording import mp4, webm
from streams.recording.assembly import AUDIO_RATE, VIDEO_RATE
from streams.recording.manifest import Container

_FRAME_SECONDS = 1 / 30


@dataclass(frozen=True, slots=True)
class Piece:
    """One whole fragment; times are seconds of the file."""

    data: bytes
    start: float
    seconds: float
    is_key: bool


def fragments(container: Container, data: bytes) -> Iterator[Piece]:
    """Every whole fragment from the beginning of `data` on; stops at the first that isn't whole."""
    return _mp4(data) if container == "mp4" else _webm(data)


def _mp4(data: bytes) -> Iterator[Piece]:
    position = 0
    while True:
        moof = _box(data, position, b"moof")
        mdat = None if moof is None else _box(data, moof, b"mdat")
        if moof is None or mdat is None:
            return
        start, end, is_key = _moof_times(data[position:moof])
        yield Piece(data[position:mdat], start, end - start, is_key)
        position = mdat


def _box(data: bytes, position: int, kind: bytes) -> int | None:
    """Where the box of this kind that stands here ends; None where there is no such whole box."""
    if position + 8 > len(data) or data[position + 4 : position + 8] != kind:
        return None
    size = int.from_bytes(data[position : position + 4])
    return position + size if size >= 8 and position + size <= len(data) else None


def _moof_times(moof: bytes) -> tuple[float, float, bool]:
    """Start, end and whether the picture begins with a key frame, of a `moof` that `mp4.fragment` wrote."""
    starts, ends = [], []
    is_key = True
    position = 8 + 16  # past mfhd
    while (end := _box(moof, position, b"traf")) is not None:
        track = int.from_bytes(moof[position + 20 : position + 24])
        time = int.from_bytes(moof[position + 36 : position + 44])
        count = int.from_bytes(moof[position + 56 : position + 60])
        entries = [struct.unpack_from(">3I", moof, position + 64 + 12 * index) for index in range(count)]
        rate = VIDEO_RATE if track == mp4.VIDEO_ID else AUDIO_RATE
        starts.append(time / rate)
        ends.append((time + sum(entry[0] for entry in entries)) / rate)
        if track == mp4.VIDEO_ID:
            is_key = entries[0][2] == mp4.KEY_FLAGS
        position = end
    return min(starts), max(ends), is_key


def _webm(data: bytes) -> Iterator[Piece]:
    position = 0
    while data[position : position + 4] == webm.CLUSTER and position + 12 <= len(data):
        end = position + 12 + _size(data, position + 4)
        if end > len(data):
            return
        first, last, is_key = _cluster_times(data[position + 12 : end])
        yield Piece(data[position:end], first, last + _FRAME_SECONDS - first, is_key)
        position = end


def _size(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 8]) & ~(1 << 56)


def _cluster_times(body: bytes) -> tuple[float, float, bool]:
    """First and last block's time, and whether the picture begins with a key frame, as `webm.fragment` wrote them."""
    length = _size(body, 1)
    start = int.from_bytes(body[9 : 9 + length])
    position = 9 + length
    times, first_picture_is_key = [start], None
    while position + 13 <= len(body) and body[position : position + 1] == webm.SIMPLE_BLOCK:
        track, offset, flags = struct.unpack_from(">BhB", body, position + 9)
        times.append(start + offset)
        if track & 0x7F == webm.VIDEO_ID and first_picture_is_key is None:
            first_picture_is_key = bool(flags & 0x80)
        position += 9 + _size(body, position + 1)
    return times[0] / 1000, max(times) / 1000, first_picture_is_key is not False
