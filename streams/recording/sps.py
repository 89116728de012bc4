"""The picture's size, out of an H.264 sequence parameter set."""

from __future__ import annotations

_CHROMA_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


class SpsRefused(ValueError):
    """The parameter set is cut short or makes no sense."""


class _Bits:
    """Reads the bits of a unit, without its emulation prevention bytes."""

    def __init__(self, unit: bytes) -> None:
        self._bytes = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._position = 0

    def bits(self, count: int) -> int:
        """The next `count` bits as a number."""
        value = 0
        for _ in range(count):
            index, bit = divmod(self._position, 8)
            if index >= len(self._bytes):
                raise SpsRefused("cut short")
            value = (value << 1) | (self._bytes[index] >> (7 - bit)) & 1
            self._position += 1
        return value

    def unsigned(self) -> int:
        """The next Exp-Golomb number."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 31:
                raise SpsRefused("no number")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """The next signed Exp-Golomb number."""
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def read_sps(unit: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels.

    Raises:
        SpsRefused: it can't be read.

    Source: ITU-T H.264 §7.3.2.1.1.
    """
    bits = _Bits(unit[1:])
    profile = bits.bits(8)
    bits.bits(16)  # constraints and level
    bits.unsigned()  # seq_parameter_set_id
    chroma = 1
    if profile in _CHROMA_PROFILES:
        chroma = _skip_chroma(bits)
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.bits(1)  # gaps_in_frame_num_value_allowed_flag
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    is_frames_only = bits.bits(1)
    height = (2 - is_frames_only) * map_units * 16
    if not is_frames_only:
        bits.bits(1)  # mb_adaptive_frame_field_flag
    bits.bits(1)  # direct_8x8_inference_flag
    if bits.bits(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (2 - is_frames_only)
        width -= across * (left + right)
        height -= down * (top + bottom)
    if not (0 < width <= 16_384 and 0 < height <= 16_384):
        raise SpsRefused(f"{width}x{height}")
    return width, height


def _skip_chroma(bits: _Bits) -> int:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.bits(1)
    bits.unsigned()
    bits.unsigned()
    bits.bits(1)
    if bits.bits(1):
        for index in range(8 if chroma != 3 else 12):
            if bits.bits(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.bits(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
