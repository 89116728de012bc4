"""Recording identifiers: UUIDv7, which sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> uuid.UUID:
    """Make a UUIDv7: 48 bits of Unix milliseconds, then random bits.

    Source: RFC 9562 §5.7.
    """
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
