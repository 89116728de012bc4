"""WebM: VP8 and Opus, one header and then whole clusters of known size.

The segment's own size is left unknown, so a file that ends anywhere plays up to its last whole cluster.

Source: RFC 8794 (EBML), RFC 9559 (Matroska), the WebM container guidelines.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from streams.recording.frames import Sample, VideoFormat
from streams.recording.opus import CLOCK_RATE as AUDIO_RATE

MIME = "video/webm"
VIDEO_RATE = 90_000
VIDEO_ID, AUDIO_ID = 1, 2
CLUSTER, CLUSTER_TIME, SIMPLE_BLOCK = b"\x1f\x43\xb6\x75", b"\xe7", b"\xa3"
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
_SEEK_PREROLL_NS = 80_000_000


def _element(identifier: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return identifier + (len(body) | 1 << 56).to_bytes(8) + body


def _number(identifier: bytes, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def header(video: VideoFormat | None, has_audio: bool) -> bytes:
    """The file's beginning: EBML header, an open segment, its clock and its tracks."""
    ebml = _element(
        b"\x1a\x45\xdf\xa3",
        _number(b"\x42\x86", 1),
        _number(b"\x42\xf7", 1),
        _number(b"\x42\xf2", 4),
        _number(b"\x42\xf3", 8),
        _element(b"\x42\x82", b"webm"),
        _number(b"\x42\x87", 4),
        _number(b"\x42\x85", 2),
    )
    application = b"enforcement-command-center"
    information = _element(
        b"\x15\x49\xa9\x66",
        _number(b"\x2a\xd7\xb1", 1_000_000),
        _element(b"\x4d\x80", application),
        _element(b"\x57\x41", application),
    )
    tracks = []
    if video is not None:
        tracks.append(_video_entry(video))
    if has_audio:
        tracks.append(_audio_entry())
    return ebml + b"\x18\x53\x80\x67" + _UNKNOWN_SIZE + information + _element(b"\x16\x54\xae\x6b", *tracks)


def fragment(number: int, video: Sequence[Sample], audio: Sequence[Sample]) -> bytes:
    """One cluster; `number` is not written, a cluster's time tells its place."""
    blocks = [(sample.time * 1000 // VIDEO_RATE, VIDEO_ID, sample) for sample in video]
    blocks += [(sample.time * 1000 // AUDIO_RATE, AUDIO_ID, sample) for sample in audio]
    blocks.sort(key=lambda block: (block[0], block[1]))
    clusters: list[bytes] = []
    while blocks:
        start = blocks[0][0]
        # A block's time is 16 bits relative to its cluster; a long pause needs another cluster.
        count = sum(1 for time, _, _ in blocks if time - start < 0x7FFF)
        parts = [_number(CLUSTER_TIME, start)]
        for time, track, sample in blocks[:count]:
            head = struct.pack(">BhB", 0x80 | track, time - start, 0x80 if sample.is_key else 0)
            parts.append(_element(SIMPLE_BLOCK, head, sample.data))
        clusters.append(_element(CLUSTER, *parts))
        blocks = blocks[count:]
    return b"".join(clusters)


def _video_entry(video: VideoFormat) -> bytes:
    return _element(
        b"\xae",
        _number(b"\xd7", VIDEO_ID),
        _number(b"\x73\xc5", VIDEO_ID),
        _number(b"\x83", 1),
        _number(b"\x9c", 0),
        _element(b"\x86", b"V_VP8"),
        _element(b"\xe0", _number(b"\xb0", video.width), _number(b"\xba", video.height)),
    )


def _audio_entry() -> bytes:
    private = struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, 0, AUDIO_RATE, 0, 0)
    return _element(
        b"\xae",
        _number(b"\xd7", AUDIO_ID),
        _number(b"\x73\xc5", AUDIO_ID),
        _number(b"\x83", 2),
        _number(b"\x9c", 0),
        _element(b"\x86", b"A_OPUS"),
        _number(b"\x56\xaa", 0),
        _number(b"\x56\xbb", _SEEK_PREROLL_NS),
        _element(b"\x63\xa2", private),
        _element(b"\xe1", _element(b"\xb5", struct.pack(">d", AUDIO_RATE)), _number(b"\x9f", 2)),
    )
