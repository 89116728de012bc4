"""Offers as browsers and programs make them, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from streams.transport.dtls import make_certificate

CERTIFICATE = make_certificate()
FINGERPRINT = CERTIFICATE.fingerprint

VP8 = ["a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 transport-cc", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"]
VP8_RTX = ["a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"]
TRANSPORT_CC = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID = "a=extmap:4/sendrecv urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ROTATION = "a=extmap:13 urn:3gpp:video-orientation"


def h264(number: int, profile: str, mode: int = 1) -> list[str]:
    """One H.264 format."""
    parameters = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
    return [f"a=rtpmap:{number} H264/90000", f"a=fmtp:{number} {parameters}", f"a=rtcp-fb:{number} nack pli"]


def video(
    lines: Sequence[str], *, mid: str = "0", direction: str = "sendonly", extra: Sequence[str] = (), port: int = 9
) -> list[str]:
    """A video m-line with these format lines."""
    numbers = [line.split(":")[1].split()[0] for line in lines if line.startswith("a=rtpmap:")]
    head = f"m=video {port} UDP/TLS/RTP/SAVPF {' '.join(numbers)}"
    return [head, "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}", "a=rtcp-mux", *lines, *extra]


def layers(line: str, *rids: str) -> list[str]:
    """What a browser adds for simulcast."""
    return [TRANSPORT_CC, MID, RID, REPAIRED_RID, *(f"a=rid:{rid} send" for rid in rids), f"a=simulcast:{line}"]


def audio(*, mid: str = "1", direction: str = "sendonly") -> list[str]:
    """An audio m-line with Opus among others."""
    formats = ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:0 PCMU/8000"]
    head = "m=audio 9 UDP/TLS/RTP/SAVPF 111 0"
    return [head, "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}", "a=rtcp-mux", *formats]


def channel(mid: str = "2") -> list[str]:
    """A data channel's m-line."""
    return ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", f"a=mid:{mid}", "a=sctp-port:5000"]


def offer(*media: Sequence[str], setup: str = "actpass", bundle: str | None = None, ufrag: str = "abcd") -> bytes:
    """A whole offer."""
    mids = [line.removeprefix("a=mid:") for lines in media for line in lines if line.startswith("a=mid:")]
    head = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids) if bundle is None else bundle}",
        f"a=ice-ufrag:{ufrag}",
        "a=ice-pwd:0123456789012345678901",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        f"a=setup:{setup}",
    ]
    return ("\r\n".join([*head, *(line for lines in media for line in lines)]) + "\r\n").encode()
