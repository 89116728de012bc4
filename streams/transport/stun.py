"""The part of STUN that an ICE-lite agent speaks: it reads binding requests and answers them."""

from __future__ import annotations

import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC_COOKIE = 0x2112A442
HEADER_LENGTH = 20
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
XOR_MAPPED_ADDRESS = 0x0020
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029

INTEGRITY_LENGTH = 20
FINGERPRINT_XOR = 0x5354554E
ROLE_CONFLICT = 487
MAX_USERNAME_BYTES = 513

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")


class MalformedStun(ValueError):
    """The datagram is no binding request that this agent can read."""


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """One binding request, not yet authenticated. PRIORITY isn't looked at: some clients leave it out."""

    transaction_id: bytes
    local_ufrag: str
    remote_ufrag: str
    use_candidate: bool
    peer_is_controlled: bool
    signed: bytes
    signature: bytes

    def is_signed_with(self, password: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY was made with this password."""
        return hmac.compare_digest(hmac.digest(password, self.signed, "sha1"), self.signature)


def read_request(data: bytes) -> BindingRequest:
    """Read a binding request.

    Raises:
        MalformedStun: it is none, is cut short, has a wrong fingerprint, or lacks USERNAME or MESSAGE-INTEGRITY.
    """
    if len(data) < HEADER_LENGTH:
        raise MalformedStun("short header")
    message_type, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if message_type != BINDING_REQUEST or cookie != MAGIC_COOKIE or len(data) != HEADER_LENGTH + length:
        raise MalformedStun("no binding request")
    username, signature, signed = b"", b"", b""
    use_candidate = peer_is_controlled = False
    for kind, value, position in _attributes(data):
        if kind == FINGERPRINT:
            _check_fingerprint(data, position, value)
        elif signature:
            continue  # what follows MESSAGE-INTEGRITY isn't authenticated (RFC 8489 §14.5)
        elif kind == USERNAME:
            username = value
        elif kind == USE_CANDIDATE:
            use_candidate = True
        elif kind == ICE_CONTROLLED:
            peer_is_controlled = True
        elif kind == MESSAGE_INTEGRITY:
            signature, signed = value, _signed_part(data, position)
    if len(signature) != INTEGRITY_LENGTH or not 0 < len(username) <= MAX_USERNAME_BYTES:
        raise MalformedStun("not authenticated")
    try:
        local, _, remote = username.decode("ascii").partition(":")
    except UnicodeDecodeError as error:
        raise MalformedStun("username") from error
    return BindingRequest(transaction_id, local, remote, use_candidate, peer_is_controlled, signed, signature)


def success(request: BindingRequest, address: tuple[str, int], password: bytes) -> bytes:
    """The answer to an authenticated request: where it came from, signed."""
    ip = ipaddress.ip_address(address[0])
    pad = struct.pack("!I", MAGIC_COOKIE) + request.transaction_id
    mapped = bytes(a ^ b for a, b in zip(ip.packed, pad, strict=False))
    value = struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, address[1] ^ (MAGIC_COOKIE >> 16)) + mapped
    return _signed_message(BINDING_SUCCESS, request.transaction_id, _attribute(XOR_MAPPED_ADDRESS, value), password)


def role_conflict(request: BindingRequest, password: bytes) -> bytes:
    """The answer to a peer that believes to be controlled: a lite agent always is (RFC 8445 §7.3.1.1)."""
    value = struct.pack("!HBB", 0, ROLE_CONFLICT // 100, ROLE_CONFLICT % 100) + b"Role Conflict"
    return _signed_message(BINDING_ERROR, request.transaction_id, _attribute(ERROR_CODE, value), password)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Each attribute's kind, value and position."""
    position = HEADER_LENGTH
    while position < len(data):
        if position + 4 > len(data):
            raise MalformedStun("short attribute")
        kind, size = _ATTRIBUTE.unpack_from(data, position)
        value = data[position + 4 : position + 4 + size]
        if len(value) != size:
            raise MalformedStun("attribute cut short")
        yield kind, value, position
        position += 4 + size + (-size % 4)


def _check_fingerprint(data: bytes, position: int, value: bytes) -> None:
    expected = struct.pack("!I", zlib.crc32(_resized(data[:position], position - HEADER_LENGTH + 8)) ^ FINGERPRINT_XOR)
    if value != expected or position + 8 != len(data):
        raise MalformedStun("fingerprint")


def _signed_part(data: bytes, position: int) -> bytes:
    return _resized(data[:position], position - HEADER_LENGTH + 4 + INTEGRITY_LENGTH)


def _resized(data: bytes, length: int) -> bytes:
    """The message with another length in its header: both checks are made over a message that ends with themselves."""
    return data[:2] + struct.pack("!H", length) + data[4:]


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _signed_message(message_type: int, transaction_id: bytes, attributes: bytes, password: bytes) -> bytes:
    body = _HEADER.pack(message_type, len(attributes), MAGIC_COOKIE, transaction_id) + attributes
    signed = _resized(body, len(attributes) + 4 + INTEGRITY_LENGTH)
    body = signed + _attribute(MESSAGE_INTEGRITY, hmac.digest(password, signed, "sha1"))
    whole = _resized(body, len(body) - HEADER_LENGTH + 8)
    return whole + _attribute(FINGERPRINT, struct.pack("!I", zlib.crc32(whole) ^ FINGERPRINT_XOR))
