"""H.264 out of RTP (RFC 6184, packetisation modes 0 and 1), as length-prefixed units for MP4."""

from __future__ import annotations

import base64
from binascii import Error as Base64Error

from streams.recording.frames import FRAME_BOUND, Frame, VideoFormat
from streams.recording.packets import RtpPacket
from streams.recording.sps import SpsRefused, read_sps

SET_BOUND = 1024
"""A parameter set is some dozens of bytes; a file's header has two for its length."""
_IDR, _SPS, _PPS, _STAP_A, _FU_A = 5, 7, 8, 24, 28


class H264Depacketiser:
    """Collects the units of one access unit until the marker or the next timestamp."""

    def __init__(self, fmtp: str = "") -> None:
        self.format: VideoFormat | None = None
        self._sps, self._pps = _announced(fmtp)
        self._units: list[bytes] = []
        self._fragment: list[bytes] | None = None
        self._timestamp: int | None = None
        self._arrival_ns = 0
        self._length = 0
        self._is_damaged = False

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; return the frames that are complete with it."""
        if not packet.payload:
            return []  # a keep-alive or probe: it has a number, and nothing else
        frames: list[Frame] = []
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            frames += self._finish()
        if self._timestamp is None:
            self._timestamp = packet.timestamp
            self._arrival_ns = packet.arrival_ns
        self._length += len(packet.payload)
        if self._length > FRAME_BOUND:
            self._is_damaged = True
            self._units.clear()
            self._fragment = None
        else:
            self._take(packet.payload)
        if packet.marker:
            frames += self._finish()
        return frames

    def lost(self) -> None:
        """A frame that is under way has a hole; so has a unit whose start is missing, which `_take` sees."""
        if self._timestamp is not None:
            self._is_damaged = True
        self._fragment = None

    def _take(self, payload: bytes) -> None:
        unit_type = payload[0] & 0x1F
        if 1 <= unit_type <= 23:
            self._units.append(payload)
        elif unit_type == _STAP_A:
            position = 1
            while position + 2 < len(payload):
                size = int.from_bytes(payload[position : position + 2])
                unit = payload[position + 2 : position + 2 + size]
                if not size or len(unit) != size:
                    self._is_damaged = True
                    return
                self._units.append(unit)
                position += 2 + size
        elif unit_type == _FU_A and len(payload) > 2:
            self._take_fragment(payload)
        else:
            self._is_damaged = True

    def _take_fragment(self, payload: bytes) -> None:
        header = payload[1]
        if header & 0x80:
            self._fragment = [bytes([(payload[0] & 0xE0) | (header & 0x1F)])]
        if self._fragment is None:
            self._is_damaged = True
            return
        self._fragment.append(payload[2:])
        if header & 0x40:
            self._units.append(b"".join(self._fragment))
            self._fragment = None

    def _finish(self) -> list[Frame]:
        units, timestamp, arrival_ns = self._units, self._timestamp, self._arrival_ns
        is_whole = not self._is_damaged and self._fragment is None
        self._units, self._fragment, self._timestamp = [], None, None
        self._is_damaged, self._length = False, 0
        if not is_whole or not units or timestamp is None:
            return []
        kinds = {unit[0] & 0x1F for unit in units}
        is_key = _IDR in kinds
        if kinds & {_SPS, _PPS}:
            self._learn(units)
        elif is_key and self._sps and self._pps:
            units = [self._sps, self._pps, *units]  # a file's reader must be able to start at any key frame
        if is_key:
            self._describe()
        data = b"".join(part for unit in units for part in (len(unit).to_bytes(4), unit))
        return [Frame(timestamp, arrival_ns, data, is_key)]

    def _learn(self, units: list[bytes]) -> None:
        for unit in units:
            if len(unit) > SET_BOUND:
                continue
            if unit[0] & 0x1F == _SPS:
                self._sps = unit
            elif unit[0] & 0x1F == _PPS:
                self._pps = unit

    def _describe(self) -> None:
        if not self._sps or not self._pps:
            return
        try:
            width, height = read_sps(self._sps)
        except SpsRefused:
            return
        profile = self._sps[1:4]
        configuration = (
            b"\x01" + profile + b"\xff\xe1" + len(self._sps).to_bytes(2) + self._sps
            + b"\x01" + len(self._pps).to_bytes(2) + self._pps
        )  # fmt: skip
        if profile[0] in (100, 110, 122, 144):
            configuration += b"\xfd\xf8\xf8\x00"  # 4:2:0, 8 bits, as all that WebRTC sends
        self.format = VideoFormat("H264", width, height, f"avc3.{profile.hex()}", configuration)


def _announced(fmtp: str) -> tuple[bytes, bytes]:
    """The parameter sets of an fmtp line that carries `sprop-parameter-sets`; empty where it doesn't."""
    for parameter in fmtp.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "sprop-parameter-sets":
            try:
                sets = [base64.b64decode(part) for part in value.split(",")]
            except (Base64Error, ValueError):
                return b"", b""
            found = {unit[0] & 0x1F: unit for unit in sets if unit}
            return found.get(_SPS, b""), found.get(_PPS, b"")
    return b"", b""
