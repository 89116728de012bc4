"""H.264 network abstraction layer units as a Matroska or MP4 file holds them: each behind its length."""

from __future__ import annotations


def of_configuration(record: bytes) -> tuple[bytes, ...]:
    """The parameter sets (SPS, PPS) in an AVC decoder configuration record (ISO/IEC 14496-15 §5.3.3.1)."""
    units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        count = record[at] & mask
        at += 1
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2], "big")
            units.append(record[at + 2 : at + 2 + length])
            at += 2 + length
    return tuple(units)


def of_sample(sample: bytes) -> tuple[bytes, ...]:
    """The units of one sample, each stored behind four bytes of length."""
    units: list[bytes] = []
    at = 0
    while at < len(sample):
        length = int.from_bytes(sample[at : at + 4], "big")
        units.append(sample[at + 4 : at + 4 + length])
        at += 4 + length
    return tuple(units)
