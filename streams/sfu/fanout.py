"""One packet to many viewers: what gathers for all of them, until it is written and sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streams import native
from streams.rtp.header import Buffer
from streams.sfu.copies import Copies, Group
from streams.sfu.datagrams import SLOTS
from streams.sfu.forwarder import Forwarder
from streams.sfu.layout import Element
from streams.sfu.native_copies import NativeCopies

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

WORTH_SENDING = 4
"""A frame of so many packets is sent at its end; smaller ones gather with what else comes in the round."""
WORTH_WAITING = 16
"""For so many viewers the rest of a frame is waited for: it saves each a datagram. Fewer get at once what is there."""


class FanOut:
    """The copies of one source's packets for all its started viewers.

    Packets gather until `flush`, which then takes viewer by viewer: what belongs to one viewer is touched once
    for all of them, while it lies in the processor's cache, and the kernel gets them as one segmented datagram.
    """

    def __init__(self, forwarder: Forwarder, *, has_frames: bool) -> None:
        self.reminded = False
        self.awaits_more = False
        """Whether what gathered lacks the end of its frame, and there is room for it."""
        self._has_frames = has_frames
        self._is_worth_waiting = False
        self._forwarder = forwarder
        self._copies = Copies(forwarder) if native.lib is None else NativeCopies(forwarder)
        self._groups: list[Group] = []
        self._gathered = 0
        self._closed = False
        self._arrivals: list[float] = []

    def arrange(self, branches: Sequence[Branch]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        self.flush()
        groups: dict[tuple[object, ...], Group] = {}
        pairs = []
        for branch in branches:
            group = groups.setdefault(branch.layout.key, Group(branch.layout, len(groups)))
            group.is_shifted = group.is_shifted or branch.shift is not None
            pairs.append((branch, group))
        self._groups = list(groups.values())
        self._is_worth_waiting = self._has_frames and len(branches) >= WORTH_WAITING
        self._copies.arrange(pairs, self._groups)

    @property
    def native(self) -> NativeCopies | None:
        """The copies as `native.c` makes them, where it does and several packets may go as one datagram."""
        return self._copies if isinstance(self._copies, NativeCopies) and self._forwarder.segmentation else None

    def passed_on(self, publisher: Mapping[str, int]) -> int:
        """The publisher's extensions that some viewer is given, as bits."""
        return sum(1 << number for number in {n for g in self._groups for n in g.layout.translation(publisher)})

    def show_gathered(self, copies: NativeCopies) -> tuple[int, bool]:
        """Let `native.c` know how long what gathered is; how many packets that are, and whether no more can join."""
        if self._gathered:
            for group, shape in zip(self._groups, copies.shapes, strict=True):
                shape.run_size = group.run_size
        return self._gathered, self._closed

    def took(
        self, copies: NativeCopies, gathered: int, arrivals: Sequence[float], *, is_closed: bool, is_end: bool
    ) -> None:
        """Packets that arrived at these times were gathered by `native.c`: so many are there now."""
        if not self._groups:
            return
        if not self._gathered:
            for group, shape in zip(self._groups, copies.shapes, strict=True):
                group.run_size = shape.run_size
        self._closed = is_closed
        self._gathered = gathered
        self._arrivals += arrivals
        self._grown(is_end=is_end)

    def append(
        self,
        packet: Buffer,
        start: int,
        end: int,
        elements: Sequence[Element],
        publisher: Mapping[str, int],
        marker: int,
        number: int,
        timestamp: int,
        now: float,
    ) -> None:
        """Take one packet for all; `marker` is 0x80 or 0. When it doesn't fit what gathered, that is sent first."""
        groups = self._groups
        if not groups:
            return
        fits = 0 < self._gathered < SLOTS and not self._closed and self._forwarder.segmentation
        shorter = False
        plain_size = 12 + end - start
        for group in groups:
            group.block = group.layout.block(packet, elements, publisher)
            size = plain_size + len(group.block)
            fits = fits and size <= group.run_size
            shorter = shorter or size < group.run_size
        if not fits:
            self.flush()
            shorter = False
            for group in groups:
                group.run_size = plain_size + len(group.block)
        # Only the last segment of a datagram may be shorter than the others.
        self._closed = shorter
        self._copies.gather(self._gathered, memoryview(packet)[start:end], marker, number, timestamp)
        self._gathered += 1
        self._arrivals.append(now)
        self._grown(is_end=marker > 0)

    def _grown(self, *, is_end: bool) -> None:
        """After what gathered has grown; `is_end` of a frame."""
        if not self.reminded:
            self.reminded = True
            self._forwarder.remind(self)
        self.awaits_more = self._is_worth_waiting and not is_end and self._gathered < SLOTS
        if self._gathered == SLOTS or (is_end and self._has_frames and self._gathered >= WORTH_SENDING):
            # Nothing is won by letting it wait for the other feeds' packets of this round.
            self.flush()

    def flush(self) -> None:
        """Protect and send what gathered."""
        count = self._gathered
        if not count:
            return
        self._gathered = 0
        self._closed = False
        forwarder = self._forwarder
        self._copies.send(count, forwarder.clock())
        done = forwarder.clock()
        observe = forwarder.delays.observe
        for arrival in self._arrivals:
            observe(done - arrival)
        self._arrivals.clear()
