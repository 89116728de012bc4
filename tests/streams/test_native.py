"""The loops in C do what their twins in Python do, on the same input."""

from __future__ import annotations

import math
import random
import shutil
import struct

import pytest

from streams import native
from streams.rtp.rtcp import Nack, ReceiverReport, Report, build, parse
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.datagrams import SLOTS
from streams.sfu.ring import MAX_PACKET
from streams.sfu.road import Road, RoadState
from streams.sfu.sent_log import ENTRIES_KEPT
from streams.sfu.trail import NativeTrail, Trail
from streams.transport.inbox import Inbox
from tests.support.batch import needs_loops
from tests.support.fuzzing import Damage


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_where_there_is_a_compiler_the_loops_are_built() -> None:
    assert native.lib is not None


@needs_loops
def test_both_know_the_same_sizes() -> None:
    lib = native.lib
    assert (lib.SLOTS, lib.MAX_PACKET, lib.LOG_ENTRIES) == (SLOTS, MAX_PACKET, ENTRIES_KEPT)


def state_of(road: Road) -> dict[str, object]:
    state = road._state
    found: dict[str, object] = {name: getattr(state, name) for name in RoadState.__slots__ if "point" not in name}
    found["points"] = [
        (state.point_at[place % 32], state.point_octets[place % 32])
        for place in range(state.first_point, state.first_point + state.points)
    ]
    return found


def hand(trail: Trail | NativeTrail, plain: bytes, now: float) -> bool | None:
    """Let a viewer's trail take a compound, which is parsed where it can't be read at once."""
    verdict = trail.read(plain, now)
    if verdict is None:
        for report in parse(plain):
            if isinstance(report, TransportFeedback):
                verdict = trail.take(report, now)
    return verdict


class Flow:
    """A viewer's way in numbers: what goes out, what arrives of it when, and the feedback on that."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = self.chance.uniform(0, 1e6)
        self.clock = self.chance.uniform(-5000, 5000) + 6000
        self.delay = 0.02
        self.number = self.untold = 0
        self.arrivals: dict[int, float] = {}

    def flush(self, *trails: Trail | NativeTrail) -> None:
        self.now += self.chance.uniform(0, 0.02)
        self.delay = max(0.01, self.delay + self.chance.choice((0, 0, 0, 0.03, -0.05, 0.2)) * self.chance.random())
        for _ in range(self.chance.randint(1, 8)):
            octets = self.chance.randint(20, 1400)
            for trail in trails:
                trail.note(octets, self.now)
            self.number += 1
            if self.chance.random() > 0.05:
                self.arrivals[self.number] = self.now + self.delay + self.clock

    def feedback(self) -> TransportFeedback | None:
        first, self.untold = self.untold + 1, self.number
        ticks = {n: int(at * 4000) for n, at in self.arrivals.items() if n >= first}
        if not ticks or self.chance.random() < 0.1:
            return None
        told, _ = TransportFeedback.of(1, 2, 0, first, self.number, ticks)
        return told


@needs_loops
@pytest.mark.parametrize("seed", range(40))
def test_a_road_is_judged_alike(seed: int) -> None:
    flow, ours, theirs = Flow(seed), NativeTrail(), Trail()
    damage = Damage(random.Random(seed))
    for _ in range(300):
        for _ in range(flow.chance.randint(0, 6)):
            flow.flush(ours, theirs)
        told = flow.feedback()
        if told is None:
            continue
        plain = build([ReceiverReport(1), told])
        if flow.chance.random() < 0.2:
            body = damage.of_bytes(bytes(told)[4:])
            body += bytes(-len(body) % 4)
            plain = build([ReceiverReport(1)]) + struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body
        assert hand(ours, plain, flow.now) == hand(theirs, plain, flow.now)
        assert (ours.number, ours.unanswered) == (theirs.number, theirs.unanswered)
        assert state_of(ours.road) == state_of(theirs.road)
    assert ours.road.feedbacks > 150


@needs_loops
def test_other_compounds_are_left_to_be_parsed() -> None:
    trail = NativeTrail()
    trail.note(100, 1.0)
    told = TransportFeedback(1, 2, 1, 0, 0, (40,))
    others: list[list[Report]] = [
        [ReceiverReport(1)],
        [told, Nack(1, 2, (3,))],
        [told, told],
    ]
    for reports in others:
        assert trail.read(build(reports), 2.0) is None
    for broken in (b"", b"\x80", build([told])[:-4], build([told])[:-1], bytes(40), b"\xff" * 40):
        assert trail.read(broken, 2.0) is None
    assert (trail.unanswered, trail.road.feedbacks) == (1, 0)
    assert trail.read(build([ReceiverReport(1), told]), 2.0) is False
    assert trail.unanswered == 0


@needs_loops
def test_the_log_is_bounded() -> None:
    trail = NativeTrail()
    for _ in range(5 * ENTRIES_KEPT):
        trail.note(100, 1.0)
    assert trail.unanswered == ENTRIES_KEPT
    assert trail.number == 5 * ENTRIES_KEPT
    assert not math.isfinite(trail.road._state.base)


@needs_loops
def test_addresses_lead_to_whom_they_were_given_last() -> None:
    chance, inbox = random.Random(5), Inbox()
    peers = [native.ffi.new("struct peer *") for _ in range(20)]
    known: dict[tuple[str, int], object] = {}
    addresses = [(f"10.0.{n % 7}.{n % 251}", 1 + n) for n in range(6000)]
    for step in range(40_000):
        address = chance.choice(addresses)
        # Now it fills, now it empties.
        if chance.random() < (0.8 if step // 10_000 % 2 else 0.35) and len(known) < 8000:
            known[address] = chance.choice(peers)
            inbox.put(address, known[address])
        elif address in known:
            del known[address]
            inbox.remove(address)
    assert inbox.entries == len(known)
    for address in addresses:
        assert inbox.find(address) == known.get(address, native.ffi.NULL)
