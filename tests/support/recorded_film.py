"""What a recording kept of a film: each sample is known by its bytes, and held against the instant of its filming."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from streams.recording.frames import Depacketiser
from streams.recording.h264 import H264Depacketiser
from streams.recording.manifest import Manifest, Segment
from streams.recording.packets import RtpPacket
from streams.recording.vp8 import Vp8Depacketiser
from streams.sfu.track import Kind
from tests.streams.recording.publisher import Unit
from tests.support.clip_peer import Film, Filmed

KINDS: tuple[Kind, ...] = ("video", "audio")


@dataclass(frozen=True, slots=True)
class Seen:
    """One recorded sample: when it was filmed, and when the recording says it was (both Unix seconds)."""

    kind: Kind
    filmed: float
    told: float

    @property
    def error(self) -> float:
        """How much later the recording puts it, in seconds."""
        return self.told - self.filmed


def recognised(root: Path, manifest: Manifest, film: Film, filmed: Filmed) -> list[Seen]:
    """All samples of a recording that the film has, each track in order."""
    names = {sample: (kind, number) for kind in KINDS for number, sample in enumerate(_samples(film, kind))}
    found: list[Seen] = []
    for segment in manifest.segments:
        for data, told in _told(root, segment):
            name = names.get(data)
            if name is not None:
                found.append(Seen(name[0], _nearest(filmed.at[name], told), told))
    return found


def of_kind(seen: Sequence[Seen], kind: Kind) -> list[Seen]:
    """Those of one track."""
    return [one for one in seen if one.kind == kind]


def _samples(film: Film, kind: Kind) -> Iterator[bytes]:
    """Each unit as a file holds it."""
    if kind == "audio":
        yield from (unit.payloads[0] for unit in film.units[kind])
        return
    depacketiser: Depacketiser = H264Depacketiser() if film.codec == "H264" else Vp8Depacketiser()
    for number, unit in enumerate(film.units[kind]):
        yield _joined(depacketiser, unit, number)


def _joined(depacketiser: Depacketiser, unit: Unit, number: int) -> bytes:
    frames = []
    for part, payload in enumerate(unit.payloads, 1):
        frames += depacketiser.push(RtpPacket(0, 3000 * number, part == len(unit.payloads), 1, 96, payload, 0))
    (frame,) = frames
    return frame.data


def _told(root: Path, segment: Segment) -> Iterator[tuple[bytes, float]]:
    """Each sample's bytes, and when it was by the fragment that it lies in."""
    starts = [fragment.start for fragment in segment.fragments]
    with av.open(str(root / segment.line.path)) as container:
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None or not segment.fragments:
                continue
            time = float(packet.pts * packet.time_base)
            fragment = segment.fragments[max(0, bisect.bisect_right(starts, time + 0.0005) - 1)]
            yield bytes(packet), fragment.at / 1000 + time - fragment.start


def _nearest(instants: Sequence[float], told: float) -> float:
    return min(instants, key=lambda instant: abs(instant - told))
