"""Which officers have a socket open in this process, told to the other processes by keys with a life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from streams.hub.hub import Hub
from streams.hub.topics import ONLINE_KEY, ONLINE_LIFE_SECONDS


class Presence:
    """The count of sockets by officer."""

    def __init__(self) -> None:
        self._process = uuid4().hex
        self._sockets: Counter[UUID] = Counter()
        self._left: set[UUID] = set()

    @property
    def officers(self) -> frozenset[UUID]:
        """Who has at least one socket open here."""
        return frozenset(self._sockets)

    @contextmanager
    def open(self, officer_id: UUID) -> Iterator[None]:
        """The officer is here for as long as this lasts."""
        self._sockets[officer_id] += 1
        self._left.discard(officer_id)
        try:
            yield
        finally:
            self._sockets[officer_id] -= 1
            if self._sockets[officer_id] <= 0:
                del self._sockets[officer_id]
                self._left.add(officer_id)

    async def tell(self, hub: Hub) -> None:
        """Renew the keys of those who are here, drop those of who left."""
        while self._left:
            await hub.drop(self._key(self._left.pop()))
        for officer_id in self.officers:
            await hub.put(self._key(officer_id), "1", life_seconds=ONLINE_LIFE_SECONDS)

    def _key(self, officer_id: UUID) -> str:
        return ONLINE_KEY.format(user=officer_id, process=self._process)
