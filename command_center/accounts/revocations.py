"""Ending rights at once, everywhere: through the outbox to every media node, and as a live event to every socket."""

from __future__ import annotations

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from command_center.outbox import Outbox
from streams.hub.hub import Hub, HubAway
from streams.hub.topics import REVOCATIONS_STREAM, Revoked

logger = logging.getLogger(__name__)


class Revocations:
    """Add in the transaction that takes the right away; tell once it is committed."""

    def __init__(self, outbox: Outbox, hub: Hub) -> None:
        self._outbox = outbox
        self._hub = hub

    def add(self, session: AsyncSession, event: Revoked) -> None:
        """Have the nodes told of it, for certain, after the caller's transaction."""
        self._outbox.add(session, REVOCATIONS_STREAM, event)

    async def tell(self, *events: Revoked) -> None:
        """Tell the sockets and the nodes now; while the hub is away the nodes are told when it is back."""
        for event in events:
            await self._hub.publish(event)
        try:
            await self._outbox.flush()
        except HubAway:
            logger.warning("hub away, %d revocations wait for it", len(events))
