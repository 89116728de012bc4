"""What a simulated bank transferred arrives at the bank that keeps the court's main account, and arrives once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import httpx

from assets.simulators.ledger import Ledger

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
"""How long what the other bank didn't take waits for the next try."""
ANSWER_SECONDS = 5.0


class Forwarding:
    """Hands on what lies in the book to be handed on; `run` it for as long as the simulator lives."""

    def __init__(self, ledger: Ledger, url: str) -> None:
        self._ledger = ledger
        self._url = url
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to hand on."""
        self._awake.set()

    async def run(self) -> None:
        """Hand on until cancelled."""
        async with httpx.AsyncClient(base_url=self._url, trust_env=False, timeout=ANSWER_SECONDS) as client:
            while True:
                self._awake.clear()
                is_all = await self._hand_on(client)
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if is_all else AGAIN_SECONDS):
                        await self._awake.wait()

    async def _hand_on(self, client: httpx.AsyncClient) -> bool:
        """Whether everything was taken; its serial keeps what is told again from arriving again."""
        for serial, deposit in self._ledger.to_hand_on():
            try:
                (await client.post("/paying/deposits", json=deposit)).raise_for_status()
            except httpx.HTTPError as exc:
                logger.info("transfer %s is not taken yet: %s", serial, type(exc).__name__)
                return False
            self._ledger.handed_on(serial)
        return True
