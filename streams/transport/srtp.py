"""Opening SRTP in place: libsrtp called through pylibsrtp's cffi binding on one reused buffer."""

from __future__ import annotations

from pylibsrtp import Session, ffi, lib  # type: ignore[attr-defined]

_unprotect, _unprotect_rtcp = lib.srtp_unprotect, lib.srtp_unprotect_rtcp


class Opener:
    """Opens packets that were received into `buffer`, without a copy or an object each.

    `pylibsrtp.Session.unprotect` copies twice and allocates thrice for each packet.
    """

    def __init__(self, buffer: bytearray) -> None:
        self._data = ffi.from_buffer(buffer)
        self._length = ffi.new("int *")

    def open_rtp(self, session: Session, length: int) -> int:
        """Open the RTP packet of `length` bytes in the buffer; its length in clear, or 0 when it is refused."""
        size = self._length
        size[0] = length
        clear: int = 0 if _unprotect(session._srtp[0], self._data, size) else size[0]
        return clear

    def open_rtcp(self, session: Session, length: int) -> int:
        """Open the RTCP packet of `length` bytes in the buffer; its length in clear, or 0 when it is refused."""
        size = self._length
        size[0] = length
        clear: int = 0 if _unprotect_rtcp(session._srtp[0], self._data, size) else size[0]
        return clear
