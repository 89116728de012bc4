"""An SDP offer as bytes arrive: read strictly, bounded, into what negotiation needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from streams.signalling.errors import OfferRefused
from streams.signalling.simulcast import read_simulcast

MAX_SDP_BYTES = 65_536
MAX_LINES = 1500
MAX_MEDIA = 6
MAX_FINGERPRINTS = 4

_MEDIA = re.compile(r"m=(audio|video|application) (\d{1,5})(?:/\d+)? ([A-Z/]+) (\S.*)", re.ASCII)
_RTPMAP = re.compile(r"(\d{1,3}) ([A-Za-z0-9._-]{1,32})/(\d{1,6})(?:/(\d))?", re.ASCII)
_EXTMAP = re.compile(r"(\d{1,3})(?:/\w+)? (\S{1,200})(?: .*)?", re.ASCII)
_FINGERPRINT = re.compile(
    r"(sha-256|sha-384|sha-512) ((?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2})", re.ASCII | re.IGNORECASE
)
_ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/=_-]{4,256}", re.ASCII)
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}", re.ASCII)
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What no line of a description holds: an answer repeats parts of the offer, and must stay in its own lines."""
_DIRECTIONS = ("sendonly", "recvonly", "sendrecv", "inactive")


@dataclass(slots=True)
class Format:
    """One payload type of an m-line."""

    payload_type: int
    name: str
    clock_rate: int
    fmtp: str = ""
    feedback: set[str] = field(default_factory=set)

    def parameter(self, name: str) -> str | None:
        """One value of the fmtp line."""
        for pair in self.fmtp.split(";"):
            key, _, value = pair.strip().partition("=")
            if key.lower() == name:
                return value.strip()
        return None


@dataclass(slots=True)
class Media:
    """One m-line."""

    kind: str
    port: int
    protocol: str
    mid: str = ""
    direction: str = "sendrecv"
    payload_types: list[int] = field(default_factory=list)
    formats: dict[int, Format] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    rtx_of: dict[int, int] = field(default_factory=dict)
    send_rids: list[str] = field(default_factory=list)
    simulcast: list[str] = field(default_factory=list)
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    sctp_port: int = 5000
    max_message_size: int = 65_536

    @property
    def is_rejected(self) -> bool:
        """Whether the offerer itself switched this m-line off."""
        return self.port == 0 and not self.bundle_only


@dataclass(slots=True)
class Offer:
    """A whole offer; ICE and DTLS values are those of the bundle."""

    ufrag: str
    password: str
    setup: str
    fingerprints: list[tuple[str, str]]
    media: list[Media]
    bundle: list[str]


class _Reader:
    def __init__(self) -> None:
        self.ufrag = self.password = self.setup = ""
        self.fingerprints: list[tuple[str, str]] = []
        self.bundle: list[str] = []
        self.media: list[Media] = []
        self._direction = "sendrecv"
        self._of_formats: list[tuple[Media, str, str]] = []

    def media_line(self, line: str) -> None:
        match = _MEDIA.fullmatch(line)
        if match is None or len(self.media) >= MAX_MEDIA:
            raise OfferRefused("sdp-media")
        kind, port, protocol, formats = match.groups()
        media = Media(kind, int(port), protocol, direction=self._direction)
        if kind != "application":
            media.payload_types = [_number(value, 127) for value in formats.split()[:128]]
        elif formats != "webrtc-datachannel":
            raise OfferRefused("sdp-media")
        self.media.append(media)

    def attribute(self, name: str, value: str) -> None:
        if name in ("ice-ufrag", "ice-pwd", "setup", "fingerprint", "group"):
            self._session_attribute(name, value)
        elif self.media and name in ("fmtp", "rtcp-fb"):
            self._of_formats.append((self.media[-1], name, value))
        elif self.media:
            _media_attribute(self.media[-1], name, value)
        elif name in _DIRECTIONS:
            self._direction = name  # of all m-lines that don't name their own (RFC 8866 §6.7)

    def finish(self) -> None:
        """Lines about formats may stand before the formats."""
        for media, name, value in self._of_formats:
            _format_attribute(media, name, value)

    def _session_attribute(self, name: str, value: str) -> None:
        if name == "ice-ufrag":
            self.ufrag = self.ufrag or _matching(_ICE_CHARACTERS, value)
        elif name == "ice-pwd":
            self.password = self.password or _matching(_ICE_CHARACTERS, value)
        elif name == "setup":
            self.setup = self.setup or value
        elif name == "fingerprint":
            match = _FINGERPRINT.fullmatch(value)
            if match and len(self.fingerprints) < MAX_FINGERPRINTS:
                pair = (match[1].lower(), match[2].upper())
                if pair not in self.fingerprints:
                    self.fingerprints.append(pair)
        elif value.startswith("BUNDLE"):
            self.bundle = value.split()[1:]


def read_offer(body: bytes) -> Offer:
    """Read an SDP offer.

    Raises:
        OfferRefused: it isn't SDP, or lacks what every WebRTC offer has.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise OfferRefused("sdp-encoding") from error
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if lines[0] != "v=0" or len(lines) > MAX_LINES or any(map(_UNSEEN.search, lines)):
        raise OfferRefused("sdp-invalid")
    reader = _Reader()
    for line in lines[1:]:
        if line.startswith("m="):
            reader.media_line(line)
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            reader.attribute(name, value.strip())
        elif line and line[1:2] != "=":
            raise OfferRefused("sdp-invalid")
    reader.finish()
    if not reader.media:
        raise OfferRefused("sdp-media")
    if not (reader.ufrag and reader.password):
        raise OfferRefused("sdp-ice")
    if not reader.fingerprints:
        raise OfferRefused("sdp-fingerprint")
    return Offer(reader.ufrag, reader.password, reader.setup, reader.fingerprints, reader.media, reader.bundle)


def read_fragment(body: bytes) -> tuple[str, str]:
    """The (ufrag, password) of a trickle-ice-sdpfrag (RFC 8840); empty where it names none.

    Candidates in it need no attention: a lite agent answers whatever address signs its checks.

    Raises:
        OfferRefused: it isn't a fragment.
    """
    try:
        lines = [line.rstrip("\r") for line in body.decode("utf-8").split("\n")]
    except UnicodeDecodeError as error:
        raise OfferRefused("sdp-encoding") from error
    if not any(lines) or len(lines) > MAX_LINES or any(line and line[1:2] != "=" for line in lines):
        raise OfferRefused("sdp-fragment")
    if any(map(_UNSEEN.search, lines)):
        raise OfferRefused("sdp-fragment")
    found = {"ice-ufrag": "", "ice-pwd": ""}
    for line in lines:
        name, _, value = line.removeprefix("a=").partition(":")
        if name in found:
            found[name] = _matching(_ICE_CHARACTERS, value.strip())
    return found["ice-ufrag"], found["ice-pwd"]


def _media_attribute(media: Media, name: str, value: str) -> None:
    if name in _DIRECTIONS:
        media.direction = name
    elif name == "mid":
        media.mid = _matching(_MID, value)
    elif name == "rtpmap":
        match = _RTPMAP.fullmatch(value)
        if match is None:
            raise OfferRefused("sdp-rtpmap")
        payload_type = _number(match[1], 127)
        media.formats[payload_type] = Format(payload_type, match[2], int(match[3]))
    elif name == "extmap":
        match = _EXTMAP.fullmatch(value)
        if match and 1 <= int(match[1]) <= 14:
            media.extensions[match[2]] = int(match[1])
    elif name == "simulcast":
        media.simulcast = media.simulcast or read_simulcast(value)
    elif name in ("ssrc", "ssrc-group", "rid"):
        _source_attribute(media, name, value)
    elif name in ("rtcp-mux", "rtcp-rsize", "bundle-only"):
        setattr(media, name.replace("-", "_"), True)
    elif name == "sctp-port":
        media.sctp_port = _number(value, 65_535)
    elif name == "max-message-size":
        media.max_message_size = _number(value, (1 << 63) - 1)


def _format_attribute(media: Media, name: str, value: str) -> None:
    which, _, rest = value.partition(" ")
    chosen = list(media.formats.values()) if which == "*" else [media.formats.get(_number(which, 127))]
    for known in chosen:
        if known is not None and name == "fmtp":
            known.fmtp = rest.strip()[:500]
        elif known is not None and len(known.feedback) < 16:
            known.feedback.add(rest.strip()[:50])


def _source_attribute(media: Media, name: str, value: str) -> None:
    first, *rest = value.split() or [""]
    if name == "rid":
        if rest[:1] == ["send"] and len(media.send_rids) < 8 and _RID.fullmatch(first):
            media.send_rids.append(first)
    elif name == "ssrc":
        ssrc = _number(first, 0xFFFFFFFF)
        if ssrc not in media.ssrcs and len(media.ssrcs) < 16:
            media.ssrcs.append(ssrc)
    elif first == "FID" and len(rest) == 2 and len(media.rtx_of) < 8:
        media.rtx_of[_number(rest[0], 0xFFFFFFFF)] = _number(rest[1], 0xFFFFFFFF)


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > most:
        raise OfferRefused("sdp-number")
    return int(text)


def _matching(pattern: re.Pattern[str], value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise OfferRefused("sdp-value")
    return value
