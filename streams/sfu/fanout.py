"""The hot path: one incoming packet becomes one protected packet for each viewer, in memory made beforehand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import lib as srtp_lib

from streams.rtp.header import Buffer
from streams.rtp.payload import PictureNumbers, vp8_numbers
from streams.sfu.datagrams import SLOTS, Place
from streams.sfu.forwarder import Forwarder
from streams.sfu.layout import TRANSPORT_NUMBER_OFFSET, Element, Layout

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

_fixed_into = struct.Struct("!BBHII").pack_into
_number_into = struct.Struct("!H").pack_into
_protect = srtp_lib.srtp_protect

_Item = tuple[bytearray, int, int, int, int, int]
"""One gathered packet: template, size, first byte, marker bit, number, timestamp."""


class _Group:
    """Viewers of one layout within a fan-out, and the packets that gathered for them.

    Those whose pictures are renumbered, because they changed layers, stand apart: `numbers` are the places in their
    packets.
    """

    __slots__ = ("is_shifted", "items", "layout", "numbers", "octets", "run_size", "template", "template_first")

    def __init__(self, layout: Layout, *, is_shifted: bool) -> None:
        self.layout = layout
        self.is_shifted = is_shifted
        self.items: list[_Item] = []
        self.numbers: list[PictureNumbers | None] = []
        self.octets = self.run_size = 0
        self.template = bytearray()
        self.template_first = 0x80


class FanOut:
    """The copies of one source's packets for all its started viewers.

    Packets gather until `flush`, which then takes viewer by viewer: what belongs to one viewer is touched once
    for all of them, while it lies in the processor's cache, and the kernel gets them as one segmented datagram.
    """

    def __init__(self, forwarder: Forwarder) -> None:
        self.reminded = False
        self._forwarder = forwarder
        self._branches: list[Branch] = []
        # For each viewer all that the loop needs, so that it looks nothing up. The sessions are named because
        # the pointers into them are bare.
        self._members: list[tuple[Any, ...]] = []
        self._groups: list[_Group] = []
        self._gathered = 0
        self._closed = False
        self._arrivals: list[float] = []

    def arrange(self, branches: Sequence[Branch]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        self.flush()
        self._branches = list(branches)
        groups: dict[tuple[object, ...], _Group] = {}
        self._members = []
        for branch in branches:
            is_shifted = branch.shift is not None
            group = groups.setdefault((*branch.layout.key, is_shifted), _Group(branch.layout, is_shifted=is_shifted))
            session = branch.session
            numbers = (branch.sequence_offset, branch.timestamp_offset, branch.ssrc, branch.payload_type)
            name = self._forwarder.name_of(branch.address)
            numbered = group.layout.transport_number > 0
            shifted = (group.numbers, branch.shift) if is_shifted else None
            log = branch.viewer.sent.append if numbered else None
            self._members.append(
                (group.items, shifted, numbered, name, session._srtp[0], *numbers, branch.viewer, group, log, session)
            )
        self._groups = list(groups.values())

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
        for group in groups:
            group.template, group.template_first = group.layout.write(packet, start, end, elements, publisher)
            size = len(group.template)
            fits = fits and size <= group.run_size
            shorter = shorter or size < group.run_size
        if not fits:
            self.flush()
            shorter = False
            for group in groups:
                group.run_size = len(group.template)
        # Only the last segment of a datagram may be shorter than the others.
        self._closed = shorter
        if not self.reminded:
            self.reminded = True
            self._forwarder.remind(self)
        for group in groups:
            template = group.template
            group.items.append((template, len(template), group.template_first, marker, number, timestamp))
            group.octets += len(template)
            if group.is_shifted:
                group.numbers.append(vp8_numbers(template, len(template) - (end - start), len(template)))
        self._gathered += 1
        self._arrivals.append(now)

    def flush(self) -> None:
        """Protect and send what gathered."""
        count = self._gathered
        if not count:
            return
        self._gathered = 0
        self._closed = False
        forwarder, members = self._forwarder, self._members
        step = forwarder.tray.begin(count)
        sent_at = forwarder.clock()
        for first in range(0, len(members), step):
            chunk = members[first : first + step]
            self._fill(chunk, count, sent_at)
            forwarder.send_tray(len(chunk), count)
        for group in self._groups:
            group.items.clear()
            group.numbers.clear()
            group.octets = 0
        done = forwarder.clock()
        observe = forwarder.delays.observe
        for arrival in self._arrivals:
            observe(done - arrival)
        self._arrivals.clear()

    def _fill(self, members: Sequence[tuple[Any, ...]], count: int, sent_at: float) -> None:
        """Write each viewer's packets into its place of the tray. Every name here is local: this is the loop."""
        into, numbers_into, protect = _fixed_into, _number_into, _protect
        for place, member in zip(self._forwarder.tray.places, members, strict=False):
            (
                items,
                shifted,
                numbered,
                name,
                srtp,
                by_sequence,
                by_timestamp,
                ssrc,
                payload_type,
                viewer,
                group,
                log,
                _,
            ) = member
            if shifted is not None:
                self._fill_shifted(place, member)
                items = ()
            for (view, data, length), (template, size, first, marker, number, timestamp) in zip(
                place.slots, items, strict=False
            ):
                into(
                    template,
                    0,
                    first,
                    marker | payload_type,
                    (number + by_sequence) & 0xFFFF,
                    (timestamp + by_timestamp) & 0xFFFFFFFF,
                    ssrc,
                )
                if numbered:
                    viewer.transport_number = transport = (viewer.transport_number + 1) & 0xFFFF
                    numbers_into(template, TRANSPORT_NUMBER_OFFSET, transport)
                view[0:size] = template
                length[0] = size
                if protect(srtp, data, length):
                    # What could not be protected must never leave.
                    length[0] = 0
                    self._forwarder.failed()
            if log is not None:
                log((viewer.transport_number, count, group.octets, sent_at))
            if place.name is not name:
                place.address(name)
            if count > 1:
                place.segment_size[0] = place.first_length[0]

    def _fill_shifted(self, place: Place, member: tuple[Any, ...]) -> None:
        """As `_fill` does for one viewer, and renumber the pictures."""
        into, numbers_into, protect = _fixed_into, _number_into, _protect
        items, shifted, numbered, _, srtp, by_sequence, by_timestamp, ssrc, payload_type, viewer, _, _, _ = member
        places, (by_picture, by_base) = shifted
        for (view, data, length), numbers, (template, size, first, marker, number, timestamp) in zip(
            place.slots, places, items, strict=False
        ):
            into(
                template,
                0,
                first,
                marker | payload_type,
                (number + by_sequence) & 0xFFFF,
                (timestamp + by_timestamp) & 0xFFFFFFFF,
                ssrc,
            )
            if numbered:
                viewer.transport_number = transport = (viewer.transport_number + 1) & 0xFFFF
                numbers_into(template, TRANSPORT_NUMBER_OFFSET, transport)
            if numbers is not None:
                # `shift_numbers`, written out: this is the loop for all who ever changed layers.
                picture_at, picture, is_wide, base_at, base = numbers
                if is_wide:
                    numbers_into(template, picture_at, 0x8000 | (picture + by_picture) & 0x7FFF)
                elif picture_at:
                    template[picture_at] = (picture + by_picture) & 0x7F
                if base_at:
                    template[base_at] = (base + by_base) & 0xFF
            view[0:size] = template
            length[0] = size
            if protect(srtp, data, length):
                length[0] = 0
                self._forwarder.failed()
