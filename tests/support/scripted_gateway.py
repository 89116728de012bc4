"""A gateway in the test's own process that says what the test tells it to, for rules about what becomes of answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from assets.documents import Action
from assets.gateway import ControlOrder, ControlReceipt, FoundAsset, QueryAnswer, QueryOrder
from assets.terms import AssetKind

ACCOUNT = FoundAsset(AssetKind.BANK_ACCOUNT, "6217000060000000008", "某支行（虚构）", 5_000_000, 5_000_000)
FROZEN = ControlReceipt(
    is_registered=True,
    waiting_rank=0,
    controlled_cents=100,
    over_cents=0,
    starts_on=None,
    ends_on=None,
    reason="",
    receipt_number="HZ1",
)
Said = QueryAnswer | ControlReceipt | BaseException


class ScriptedGateway:
    """Says the next thing of `script` each time that it is asked; the last one again and again."""

    actions = frozenset(Action)

    def __init__(self, name: str = "bank", *script: Said) -> None:
        self.name = name
        self.script = list(script) or [QueryAnswer((), datetime(2026, 11, 22, tzinfo=UTC))]
        self.asked: list[QueryOrder | ControlOrder] = []
        self.gate: asyncio.Event | None = None
        """Where it is given one, it says nothing before that is set."""
        self.now = self.most = 0
        """How many wait for its word, and how many did at the most."""

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """The next thing, which has to be an answer."""
        said = await self._say(order)
        assert isinstance(said, QueryAnswer)
        return said

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """The next thing, which has to be a receipt."""
        said = await self._say(order)
        assert isinstance(said, ControlReceipt)
        return said

    async def close(self) -> None:
        """Nothing to give back."""

    @property
    def numbers(self) -> list[str]:
        """The numbers that it was asked under."""
        return [order.head.number for order in self.asked]

    async def _say(self, order: QueryOrder | ControlOrder) -> QueryAnswer | ControlReceipt:
        self.asked.append(order)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.now -= 1
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, BaseException):
            raise said
        return said
