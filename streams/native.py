"""The loops of `native.c`, where they could be built; without them the same is done in Python, at twice the price.

The library knows nothing of Python: cffi opens it, and its declarations are read from `native.h`.
"""

from __future__ import annotations

import logging
import sysconfig
from pathlib import Path
from typing import Any

from cffi import FFI  # type: ignore[import-untyped]
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

logger = logging.getLogger(__name__)

Data = Any
"""A cffi value: cffi has no static types."""

_HERE = Path(__file__).parent
_SRTP_CALLS = ("srtp_protect", "srtp_unprotect", "srtp_unprotect_rtcp")

_SHARED = {
    "item": 1,
    "sent_log": 3,
    "member": 5,
    "outcome": 7,
    "road": 11,
    "delay": 13,
    "peer": 17,
    "table": 19,
    "batch": 23,
    "shape": 29,
    "run": 31,
}
"""The structs of the header with their weights in `native_layout`."""

ffi = FFI()
ffi.cdef((_HERE / "native.h").read_text())


def _load() -> Any:
    """The library, or None where it wasn't built or isn't of this version."""
    path = _HERE / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not path.exists():
        return None
    try:
        library = ffi.dlopen(str(path))
    except OSError:
        logger.exception("%s can't be used", path.name)
        return None
    layout = sum(weight * ffi.sizeof(f"struct {name}") for name, weight in _SHARED.items())
    if library.native_version() != library.NATIVE_VERSION or library.native_layout() != layout:
        logger.warning("%s is of another version; `make clean` and begin anew", path.name)
        return None
    library.use_srtp(*(address_of(srtp_ffi.addressof(srtp_lib, name)) for name in _SRTP_CALLS))
    return library


def address_of(pointer: Data) -> int:
    """Where a pointer of pylibsrtp's leads, to be handed over as a number: the two know different types."""
    return int(srtp_ffi.cast("uintptr_t", pointer))


lib = _load()
"""The library's functions, or None: whoever has a quicker way by it looks here when it is built."""
