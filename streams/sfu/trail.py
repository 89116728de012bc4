"""What was sent to one viewer, and what its transport-wide feedback says of the way there."""

from __future__ import annotations

from streams import native
from streams.native import Data, ffi
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.road import Road
from streams.sfu.sent_log import ENTRIES_KEPT, SentLog


class Trail:
    """A viewer's transport-wide numbers, their log, and the road that is judged by what comes back of them."""

    def __init__(self) -> None:
        self.road = Road()
        self.sent = SentLog()
        self.number = 0
        """The last transport-wide number that was given."""

    @property
    def shared(self) -> tuple[Data, Data]:
        """Its log and the road's state where `native.c` can read feedback by itself, else nothing."""
        return None, None

    @property
    def unanswered(self) -> int:
        """How many flushes nothing was said of yet."""
        return len(self.sent.entries)

    def note(self, octets: int, at: float) -> int:
        """The next number, for one packet of so many bytes that goes out now."""
        self.number = (self.number + 1) & 0xFFFF
        self.sent.append((self.number, 1, octets, at))
        return self.number

    def read(self, plain: bytes, now: float) -> bool | None:
        """Take a compound of nothing but feedback: true when that makes uneasy. None for any other, to be parsed."""
        feedback = TransportFeedback.read_usual(plain)
        return None if feedback is None else self.take(feedback, now)

    def take(self, feedback: TransportFeedback, now: float) -> bool:
        """Take feedback; true when something isn't as it should be."""
        return self.road.take(self.sent.acknowledge(feedback), now)


class NativeTrail:
    """The same, kept where `native.c` writes and reads it."""

    def __init__(self) -> None:
        self.log: Data = ffi.new("struct sent_log *")
        self.state: Data = ffi.new("struct road *")
        self.road = Road(self.state)

    @property
    def shared(self) -> tuple[Data, Data]:
        """Its log and the road's state, for `native.c`."""
        return self.log, self.state

    @property
    def number(self) -> int:
        """The last transport-wide number that was given."""
        return int(self.log.number)

    @property
    def unanswered(self) -> int:
        """How many flushes nothing was said of yet."""
        return int(self.log.count)

    def note(self, octets: int, at: float) -> int:
        """The next number, for one packet of so many bytes that goes out now."""
        log = self.log
        number: int = (log.number + 1) & 0xFFFF
        log.number = number
        native.lib.note_sent(log, 1, octets, at)
        return number

    def read(self, plain: bytes, now: float) -> bool | None:
        """Take a compound of nothing but feedback."""
        verdict: int = native.lib.take_feedback(self.log, self.state, plain, len(plain), now, _delays, _delay_count)
        if verdict < 0:
            return None
        if self.road.train is not None:
            self.road.note_train((told.sent_at, told.seconds) for told in _delays[0 : _delay_count[0]])
        return verdict > 0

    def take(self, feedback: TransportFeedback, now: float) -> bool:
        """Take feedback; true when something isn't as it should be."""
        return bool(self.read(bytes(feedback), now))


_delays: Data = ffi.new("struct delay[]", ENTRIES_KEPT)
_delay_count: Data = ffi.new("uint32_t *")


def begin_trail() -> Trail | NativeTrail:
    """A trail that begins: the quicker one where it can be."""
    return Trail() if native.lib is None else NativeTrail()
