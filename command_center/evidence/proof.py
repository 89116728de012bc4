"""What the worker does so that everything proves itself: journals written and sealed, every ledger anchored."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.anchors import ANCHOR_SECONDS, Anchors, newest_anchor
from command_center.evidence.journals import Journals
from command_center.evidence.keyring import Keyring
from command_center.evidence.ledger_file import LedgerBroken
from command_center.evidence.timestamps import TimeStampAuthority
from streams.hub.hub import Hub

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
FINISH_SECONDS = 3.0
"""For so long a worker that is told to end goes on to write, seal and anchor what there is."""


class Proof:
    """Both jobs of one worker, each a step that is repeated as long as its lease is held."""

    def __init__(self, journals: Journals, anchors: Anchors) -> None:
        self._journals = journals
        self._anchors = anchors
        self._anchor_at = 0.0

    async def keep_journals(self) -> None:
        """Write what was noted; wait a little where there was nothing."""
        if await self._journals.step() == 0:
            await asyncio.sleep(STEP_SECONDS)

    async def keep_anchors(self) -> None:
        """Anchor, each ANCHOR_SECONDS."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._anchor_at:
            await asyncio.sleep(STEP_SECONDS)
            return
        self._anchor_at = loop.time() + ANCHOR_SECONDS
        await self._anchors.anchor()
        await self._anchors.stamp()

    async def finish(self) -> None:
        """Leave nothing unwritten, unsealed or unanchored, as far as there is time."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while await self._journals.step():
                    pass
                await self._journals.seal()
                await self._anchors.anchor()
        except (SQLAlchemyError, OSError, ValueError, LedgerBroken, TimeoutError):
            logger.exception("what was noted last is sealed and anchored at the next start")


def proof_of(settings: Settings, database: Database, hub: Hub) -> Proof:
    """The jobs as an installation has set them.

    Raises:
        OSError, ValueError: the certificates of the time-stamp authority can't be read.
    """
    keyring = Keyring(settings.data, settings.keys)
    authority = None
    if settings.tsa_url:
        authority = TimeStampAuthority(settings.tsa_url, settings.tsa_certificates)
    return Proof(
        Journals(database, settings.data, keyring, lambda: newest_anchor(settings.data)),
        Anchors(database, hub, settings.data, keyring, authority),
    )
