"""What of an offer this node takes: codecs, feedback, header extensions, roles."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

from streams.sfu.track import Codec, CodecName, Kind, Track
from streams.signalling.errors import OfferRefused
from streams.signalling.offer import Format, Media, Offer
from streams.signalling.simulcast import MAX_LAYERS, order_rids

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
CAPTURE_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

PUBLISHER_EXTENSIONS = (MID_URI, TRANSPORT_CC_URI, CAPTURE_TIME_URI, AUDIO_LEVEL_URI)
"""The rotation extension is left out on purpose: without it a phone turns the picture itself, also the recorded one."""
LAYER_EXTENSIONS = (*PUBLISHER_EXTENSIONS, RID_URI, REPAIRED_RID_URI)
"""Of a publisher that sends layers: they say which packet is of which."""
VIEWER_EXTENSIONS = (MID_URI, TRANSPORT_CC_URI, CAPTURE_TIME_URI, AUDIO_LEVEL_URI)

RTP_PROTOCOLS = ("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP")
SCTP_PROTOCOLS = ("UDP/DTLS/SCTP", "DTLS/SCTP", "TCP/DTLS/SCTP")

DtlsRole = Literal["client", "server"]


@dataclass(frozen=True, slots=True)
class Agreed:
    """One m-line of the answer: a track, the data channel, or neither (rejected)."""

    media: Media
    track: Track | None
    is_channel: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides do from now on."""

    lines: tuple[Agreed, ...]
    dtls_role: DtlsRole

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The accepted tracks."""
        return tuple(line.track for line in self.lines if line.track is not None)

    @property
    def channel(self) -> Media | None:
        """The data channel's m-line, if there is one."""
        return next((line.media for line in self.lines if line.is_channel), None)


def agree_to_publish(offer: Offer) -> Agreement:
    """Choose how to receive what a publisher offers: all of it, or refuse.

    Raises:
        OfferRefused: an m-line can't be received (422).
    """
    role = _check(offer, wrong_directions=("recvonly", "inactive"))
    lines = []
    for media in offer.media:
        if media.is_rejected:
            lines.append(Agreed(media, None))
        elif media.kind == "application":
            lines.append(Agreed(media, None, is_channel=True))
        else:
            lines.append(Agreed(media, _publisher_track(media)))
    return _with_tracks(Agreement(tuple(lines), role))


def agree_to_view(offer: Offer, feed: Sequence[Track]) -> Agreement:
    """Choose how to send a feed to a viewer, in the viewer's own numbers and SSRCs of ours.

    Raises:
        OfferRefused: the viewer can't play the feed's codec (409), or offers what can't be (422).
    """
    role = _check(offer, wrong_directions=("sendonly", "inactive"))
    of_kind = {track.kind: track for track in feed}
    lines = []
    for media in offer.media:
        source = of_kind.get("audio" if media.kind == "audio" else "video")
        if media.kind == "application" and not media.is_rejected:
            lines.append(Agreed(media, None, is_channel=True))
        elif media.is_rejected or source is None:
            lines.append(Agreed(media, None))
        else:
            lines.append(Agreed(media, _viewer_track(media, source)))
    return _with_tracks(Agreement(tuple(lines), role))


def _check(offer: Offer, wrong_directions: tuple[str, ...]) -> DtlsRole:
    """What holds for every offer; gives our DTLS role."""
    active = [media for media in offer.media if not media.is_rejected]
    for kind in ("audio", "video", "application"):
        if sum(media.kind == kind for media in active) > 1:
            raise OfferRefused("too-many-tracks", HTTPStatus.UNPROCESSABLE_ENTITY)
    if len(active) > 1 and not {media.mid for media in active} <= set(offer.bundle):
        raise OfferRefused("bundle-required", HTTPStatus.UNPROCESSABLE_ENTITY)
    if len({media.mid for media in offer.media}) != len(offer.media):
        raise OfferRefused("sdp-mid")
    for media in active:
        if media.protocol not in (SCTP_PROTOCOLS if media.kind == "application" else RTP_PROTOCOLS):
            raise OfferRefused("protocol-unsupported", HTTPStatus.UNPROCESSABLE_ENTITY)
        if media.kind == "application":
            continue
        if media.direction in wrong_directions:
            raise OfferRefused("direction-unsupported", HTTPStatus.UNPROCESSABLE_ENTITY)
        if not media.rtcp_mux:
            raise OfferRefused("rtcp-mux-required", HTTPStatus.UNPROCESSABLE_ENTITY)
    if offer.setup not in ("actpass", "active", "passive"):
        raise OfferRefused("sdp-setup")
    return "client" if offer.setup == "passive" else "server"


def _with_tracks(agreement: Agreement) -> Agreement:
    if not agreement.tracks:
        raise OfferRefused("no-tracks", HTTPStatus.UNPROCESSABLE_ENTITY)
    return agreement


def _publisher_track(media: Media) -> Track:
    wanted = _preferred(media)
    if wanted is None:
        raise OfferRefused("codec-unsupported", HTTPStatus.UNPROCESSABLE_ENTITY)
    ssrc = media.ssrcs[0] if media.ssrcs and not media.send_rids else None
    rids = _layers(media)
    if rids:
        return replace(_track(media, wanted, LAYER_EXTENSIONS, None, None), rids=order_rids(rids))
    return _track(media, wanted, PUBLISHER_EXTENSIONS, ssrc, media.rtx_of.get(ssrc) if ssrc is not None else None)


def _layers(media: Media) -> list[str]:
    """The layers to ask for; none where they couldn't be told apart: then a publisher sends its first one only."""
    if media.kind != "video" or RID_URI not in media.extensions or MID_URI not in media.extensions:
        return []
    described = [rid for rid in dict.fromkeys(media.simulcast) if rid in media.send_rids]
    return described[:MAX_LAYERS]


def _viewer_track(media: Media, source: Track) -> Track:
    wanted = _matching(media, source.codec)
    if wanted is None:
        raise OfferRefused("codec-mismatch", HTTPStatus.CONFLICT)
    track = _track(media, wanted, VIEWER_EXTENSIONS, _new_ssrc(), _new_ssrc())
    if track.rtx_ssrc is None and (track.nack or track.kind == "video"):
        # What is repeated to the bit can't carry a number of its own, so that none of its packets does.
        extensions = {uri: number for uri, number in track.extensions.items() if uri != TRANSPORT_CC_URI}
        track = replace(track, extensions=extensions, transport_cc=False)
    return replace(track, remb=not track.transport_cc and "goog-remb" in wanted.feedback)


def _track(media: Media, chosen: Format, known: tuple[str, ...], ssrc: int | None, rtx_ssrc: int | None) -> Track:
    kind: Kind = "audio" if media.kind == "audio" else "video"
    extensions = {uri: media.extensions[uri] for uri in known if uri in media.extensions}
    rtx = _rtx(media, chosen.payload_type) if "nack" in chosen.feedback else None
    if "transport-cc" not in chosen.feedback:
        extensions.pop(TRANSPORT_CC_URI, None)
    return Track(
        kind=kind,
        mid=media.mid,
        codec=Codec(_name(chosen), chosen.clock_rate, chosen.payload_type, rtx, chosen.fmtp),
        extensions=extensions,
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc if rtx is not None else None,
        nack="nack" in chosen.feedback,
        pli="nack pli" in chosen.feedback,
        transport_cc=TRANSPORT_CC_URI in extensions,
    )


def _formats(media: Media) -> list[Format]:
    """The formats in the offerer's order."""
    return [media.formats[number] for number in media.payload_types if number in media.formats]


def _preferred(media: Media) -> Format | None:
    """H.264 (constrained) baseline in whole packets, else VP8, else whatever H.264; for audio Opus."""
    formats = _formats(media)
    if media.kind == "audio":
        return next((f for f in formats if _is_opus(f)), None)
    h264 = sorted((f for f in formats if _is_h264(f)), key=_h264_rank)
    vp8 = next((f for f in formats if f.name.upper() == "VP8" and f.clock_rate == 90_000), None)
    if h264 and (_h264_rank(h264[0]) <= 1 or vp8 is None):
        return h264[0]
    return vp8


def _h264_rank(wanted: Format) -> int:
    profile = _profile(wanted)
    if wanted.parameter("packetization-mode") != "1":
        return 3
    if not profile.startswith("42"):
        return 2
    return 0 if profile == "42e0" else 1


def _profile(wanted: Format) -> str:
    """The profile half of profile-level-id; RFC 6184 §8.1 says what its absence means."""
    return (wanted.parameter("profile-level-id") or "420010").lower()[:4]


def _matching(media: Media, source: Codec) -> Format | None:
    """The viewer's format that plays the feed's: same codec, same packing, nearest profile."""
    formats = _formats(media)
    if source.name == "opus":
        return next((f for f in formats if _is_opus(f)), None)
    if source.name == "VP8":
        return next((f for f in formats if f.name.upper() == "VP8" and f.clock_rate == 90_000), None)
    of_feed = Format(source.payload_type, "H264", source.clock_rate, source.fmtp)
    mode, profile = of_feed.parameter("packetization-mode") or "0", _profile(of_feed)
    playing = [f for f in formats if _is_h264(f) and (f.parameter("packetization-mode") or "0") >= mode]
    # Every H.264 profile plays what the baseline ones hold; others play their own only.
    fitting = [f for f in playing if _profile(f) == profile or profile.startswith("42")]
    return min(fitting, key=lambda f: (_profile(f) != profile, _h264_rank(f)), default=None)


def _is_h264(wanted: Format) -> bool:
    return wanted.name.upper() == "H264" and wanted.clock_rate == 90_000


def _is_opus(wanted: Format) -> bool:
    return wanted.name.lower() == "opus" and wanted.clock_rate == 48_000


def _name(chosen: Format) -> CodecName:
    names: dict[str, CodecName] = {"H264": "H264", "VP8": "VP8", "OPUS": "opus"}
    return names[chosen.name.upper()]


def _rtx(media: Media, payload_type: int) -> int | None:
    for wanted in _formats(media):
        if wanted.name.lower() == "rtx" and wanted.parameter("apt") == str(payload_type):
            return wanted.payload_type
    return None


def _new_ssrc() -> int:
    return secrets.randbelow(0xFFFFFFFE) + 1
