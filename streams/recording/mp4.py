"""Fragmented MP4: H.264 and Opus, one header and then whole fragments.

Every fragment stands alone (`default-base-is-moof`, its own decode time), so a file that ends anywhere plays up
to its last whole fragment. The picture's entry is `avc3`: parameter sets also stand in the stream, because
a phone changes its picture's size while it sends.

Source: ISO/IEC 14496-12 and -15; "Encapsulation of Opus in ISO Base Media File Format" 0.8.1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from streams.recording.frames import Sample, VideoFormat
from streams.recording.opus import CLOCK_RATE as AUDIO_RATE

MIME = "video/mp4"
VIDEO_RATE = 90_000
VIDEO_ID, AUDIO_ID = 1, 2
KEY_FLAGS, DELTA_FLAGS = 0x02000000, 0x01010000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def header(video: VideoFormat | None, has_audio: bool) -> bytes:
    """The file's beginning: `ftyp` and a `moov` without samples."""
    tracks, extends = [], []
    if video is not None:
        tracks.append(_track(VIDEO_ID, VIDEO_RATE, b"vide", _video_entry(video), video.width, video.height))
        extends.append(_extend(VIDEO_ID, DELTA_FLAGS))
    if has_audio:
        tracks.append(_track(AUDIO_ID, AUDIO_RATE, b"soun", _audio_entry(), 0, 0))
        extends.append(_extend(AUDIO_ID, KEY_FLAGS))
    movie = struct.pack(">4I", 0, 0, 1000, 0) + struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX
    movie += bytes(24) + struct.pack(">I", 3)
    return _box(b"ftyp", b"iso5\0\0\2\0iso5iso6mp41") + _box(
        b"moov", _full(b"mvhd", 0, 0, movie), *tracks, _box(b"mvex", *extends)
    )


def fragment(number: int, video: Sequence[Sample], audio: Sequence[Sample]) -> bytes:
    """One `moof` with its `mdat`; `number` counts from 1."""
    runs = [(track, samples) for track, samples in ((VIDEO_ID, video), (AUDIO_ID, audio)) if samples]
    sizes = [sum(len(sample.data) for sample in samples) for _, samples in runs]
    draft = _moof(number, runs, [0] * len(runs))
    offsets, position = [], len(draft) + 8
    for size in sizes:
        offsets.append(position)
        position += size
    data = [sample.data for _, samples in runs for sample in samples]
    return _moof(number, runs, offsets) + _box(b"mdat", *data)


def _moof(number: int, runs: Sequence[tuple[int, Sequence[Sample]]], offsets: Sequence[int]) -> bytes:
    parts = [_full(b"mfhd", 0, 0, struct.pack(">I", number))]
    for (track, samples), offset in zip(runs, offsets, strict=True):
        entries = b"".join(
            struct.pack(">3I", sample.duration, len(sample.data), KEY_FLAGS if sample.is_key else DELTA_FLAGS)
            for sample in samples
        )
        parts.append(
            _box(
                b"traf",
                _full(b"tfhd", 0, 0x020000, struct.pack(">I", track)),
                _full(b"tfdt", 1, 0, struct.pack(">Q", samples[0].time)),
                _full(b"trun", 0, 0x000701, struct.pack(">Ii", len(samples), offset), entries),
            )
        )
    return _box(b"moof", *parts)


def _track(track: int, rate: int, handler: bytes, entry: bytes, width: int, height: int) -> bytes:
    is_audio = handler == b"soun"
    described = struct.pack(">5I8x4H", 0, 0, track, 0, 0, 0, 0, 0x100 if is_audio else 0, 0)
    described += _MATRIX + struct.pack(">II", width << 16, height << 16)
    media = _full(b"smhd", 0, 0, bytes(4)) if is_audio else _full(b"vmhd", 0, 1, bytes(8))
    tables = [_full(kind, 0, 0, bytes(8 if kind == b"stsz" else 4)) for kind in (b"stts", b"stsc", b"stsz", b"stco")]
    return _box(
        b"trak",
        _full(b"tkhd", 0, 3, described),
        _box(
            b"mdia",
            _full(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, rate, 0, 0x55C4, 0)),
            _full(b"hdlr", 0, 0, bytes(4), handler, bytes(13)),
            _box(
                b"minf",
                media,
                _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))),
                _box(b"stbl", _full(b"stsd", 0, 0, struct.pack(">I", 1), entry), *tables),
            ),
        ),
    )


def _extend(track: int, flags: int) -> bytes:
    return _full(b"trex", 0, 0, struct.pack(">5I", track, 1, 0, 0, flags))


def _video_entry(video: VideoFormat) -> bytes:
    entry = struct.pack(">6xH16xHHIIIH32xHh", 1, video.width, video.height, 0x480000, 0x480000, 0, 1, 0x18, -1)
    return _box(b"avc3", entry, _box(b"avcC", video.configuration))


def _audio_entry() -> bytes:
    entry = struct.pack(">6xH8xHHHHI", 1, 2, 16, 0, 0, AUDIO_RATE << 16)
    described = struct.pack(">BBHIhB", 0, 2, 0, AUDIO_RATE, 0, 0)
    return _box(b"Opus", entry, _box(b"dOps", described))
