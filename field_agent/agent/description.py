"""The offer that a headless agent makes, and what it needs of the answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiortc.rtcdtlstransport import RTCDtlsParameters
from aiortc.sdp import MediaDescription, SessionDescription

from field_agent.agent.clips import AUDIO_CLOCK, VIDEO_CLOCK, VideoCodec
from field_agent.agent.errors import SessionRefused
from field_agent.agent.ice import Address, Credentials

MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"
SCTP_PORT = 5000

_OPUS_TYPE = 111
_VIDEO_TYPES = {"H264": (102, 103), "VP8": (96, 97)}
_H264_FORMAT = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How one of our media travels: its numbers, as offered and then as answered."""

    kind: str
    mid: str
    payload_type: int
    clock_rate: int
    ssrc: int = field(default_factory=lambda: secrets.randbits(31) | 1)
    rtx_payload_type: int | None = None
    rtx_ssrc: int = field(default_factory=lambda: secrets.randbits(31) | 1)
    mid_extension_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    credentials: Credentials
    candidates: list[Address]
    dtls: RTCDtlsParameters
    is_dtls_client: bool
    media: tuple[Outgoing, ...]
    sctp_port: int | None


def plan(codec: VideoCodec) -> tuple[Outgoing, Outgoing]:
    """Audio and video as we offer them."""
    main, repair = _VIDEO_TYPES[codec]
    return (
        Outgoing("audio", "0", _OPUS_TYPE, AUDIO_CLOCK, mid_extension_id=1),
        Outgoing("video", "1", main, VIDEO_CLOCK, rtx_payload_type=repair, mid_extension_id=1),
    )


def _media_lines(one: Outgoing, codec: VideoCodec, cname: str) -> list[str]:
    number = one.payload_type
    if one.kind == "audio":
        lines = [
            f"m=audio 9 UDP/TLS/RTP/SAVPF {number}",
            f"a=rtpmap:{number} opus/48000/2",
            f"a=fmtp:{number} minptime=20;useinbandfec=1",
        ]
    else:
        lines = [
            f"m=video 9 UDP/TLS/RTP/SAVPF {number} {one.rtx_payload_type}",
            f"a=rtpmap:{number} {codec}/90000",
            *([f"a=fmtp:{number} {_H264_FORMAT}"] if codec == "H264" else []),
            *(f"a=rtcp-fb:{number} {feedback}" for feedback in ("nack", "nack pli", "ccm fir")),
            f"a=rtpmap:{one.rtx_payload_type} rtx/90000",
            f"a=fmtp:{one.rtx_payload_type} apt={number}",
            f"a=ssrc-group:FID {one.ssrc} {one.rtx_ssrc}",
            f"a=ssrc:{one.rtx_ssrc} cname:{cname}",
        ]
    return [
        *lines,
        f"a=ssrc:{one.ssrc} cname:{cname}",
        "a=sendonly",
        f"a=msid:{cname} {one.kind}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=extmap:{one.mid_extension_id} {MID_EXTENSION}",
    ]


def offer(media: Sequence[Outgoing], codec: VideoCodec, local: Credentials, fingerprint: str) -> str:
    """A bundled WHIP offer: audio, video and a data channel, all sent by us."""
    cname = f"field-{local.fragment}"
    shared = [
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{local.fragment}",
        f"a=ice-pwd:{local.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
    ]
    channel_mid = str(len(media))
    lines = [
        "v=0",
        f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join([*(one.mid for one in media), channel_mid])}",
        "a=extmap-allow-mixed",
        f"a=msid-semantic: WMS {cname}",
    ]
    for one in media:
        head, *rest = _media_lines(one, codec, cname)
        lines += [head, *shared, f"a=mid:{one.mid}", *rest]
    lines += [
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        *shared,
        f"a=mid:{channel_mid}",
        f"a=sctp-port:{SCTP_PORT}",
        "a=max-message-size:65536",
    ]
    return "\r\n".join(lines) + "\r\n"


def read_answer(text: str, planned: Sequence[Outgoing]) -> Answer:
    """Check a server's answer and take what matters.

    Raises:
        SessionRefused: it can't be parsed, or takes none of our media.
    """
    try:
        answer = SessionDescription.parse(text)
    except (ValueError, LookupError, StopIteration, AttributeError, TypeError, AssertionError) as error:
        raise SessionRefused("the answer can't be read") from error
    by_mid = {section.rtp.muxId: section for section in answer.media if section.port != 0}
    media = tuple(_agreed(one, by_mid[one.mid]) for one in planned if one.mid in by_mid)
    first = next(iter(by_mid.values()), None)
    if not media or first is None or first.dtls is None or first.ice is None:
        raise SessionRefused("the answer takes none of our media")
    candidates = dict.fromkeys(
        (str(candidate.ip), int(candidate.port))
        for section in answer.media
        for candidate in section.ice_candidates
        # Our socket is IPv4's; every node so far announces an IPv4 address.
        if candidate.protocol.lower() == "udp" and ":" not in candidate.ip
    )
    channel = next((section for section in by_mid.values() if section.kind == "application"), None)
    return Answer(
        credentials=Credentials(str(first.ice.usernameFragment), str(first.ice.password)),
        candidates=list(candidates),
        dtls=first.dtls,
        is_dtls_client=first.dtls.role != "client",
        media=media,
        sctp_port=None if channel is None else channel.sctp_port or SCTP_PORT,
    )


def _agreed(one: Outgoing, section: MediaDescription) -> Outgoing:
    """Our numbers as the server took them; repair and extension only where it did."""
    types = {codec.payloadType for codec in section.rtp.codecs}
    if one.payload_type not in types:
        raise SessionRefused(f"the server doesn't take our {one.kind} codec")
    extension = next((int(header.id) for header in section.rtp.headerExtensions if header.uri == MID_EXTENSION), None)
    return Outgoing(
        one.kind,
        one.mid,
        one.payload_type,
        one.clock_rate,
        one.ssrc,
        one.rtx_payload_type if one.rtx_payload_type in types else None,
        one.rtx_ssrc,
        extension,
    )
