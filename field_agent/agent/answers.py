"""How a demonstration officer reacts to instructions: at human speed, mostly willing, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from streams.protocol import InstructionDelivery, Receipt, ReceiptState

REASONS = ("现场人员情绪激动，暂不具备条件", "通道被堵，需要增援", "设备故障，无法执行")
MAX_HELD = 64
"""Instructions being answered at one time; a further one is answered when it is sent again."""

_STEPS_LEFT = {
    "sent": (ReceiptState.DELIVERED, ReceiptState.SEEN, ReceiptState.ACCEPTED, ReceiptState.DONE),
    "delivered": (ReceiptState.SEEN, ReceiptState.ACCEPTED, ReceiptState.DONE),
    "seen": (ReceiptState.ACCEPTED, ReceiptState.DONE),
    "accepted": (ReceiptState.DONE,),
}


def steps(state: str, chance: random.Random, *, refuses: bool) -> list[tuple[float, ReceiptState, str]]:
    """What is said of an instruction that stands at `state`: seconds to wait before each step, the step, its reason."""
    answer: list[tuple[float, ReceiptState, str]] = []
    waits = {
        ReceiptState.DELIVERED: 0.0,
        ReceiptState.SEEN: chance.uniform(0.7, 1.5),
        ReceiptState.ACCEPTED: chance.uniform(1.2, 3.0),
        ReceiptState.DONE: chance.uniform(12, 40),
    }
    refused, finishes = refuses and chance.random() < 0.25, chance.random() < 0.6
    reason = chance.choice(REASONS)
    for step in _STEPS_LEFT.get(state, ()):
        if step is ReceiptState.ACCEPTED and refused:
            answer.append((waits[step], ReceiptState.REFUSED, reason))
            break
        if step is ReceiptState.DONE and not finishes:
            break
        answer.append((waits[step], step, ""))
    return answer


class Answers:
    """Answers each instruction once, however often it is sent."""

    def __init__(self, seed: str, group: asyncio.TaskGroup, tell: Callable[[Receipt], None], *, refuses: bool) -> None:
        self._seed, self._refuses = seed, refuses
        self._group, self._tell = group, tell
        self._held: dict[UUID, asyncio.Task[None]] = {}
        self._seen: dict[UUID, None] = {}

    def instruction_received(self, delivery: InstructionDelivery) -> None:
        """Say "delivered" at once and the rest in its time."""
        if delivery.delivery_id in self._seen or len(self._held) >= MAX_HELD:
            return
        self._seen[delivery.delivery_id] = None
        if len(self._seen) > MAX_HELD * 16:
            del self._seen[next(iter(self._seen))]
        # The number makes the same demonstration answer the same way each time it is run.
        chance = random.Random(f"{self._seed}/{delivery.sequence}")
        plan = steps(delivery.state, chance, refuses=self._refuses)
        task = self._group.create_task(self._answer(delivery.delivery_id, plan))
        self._held[delivery.delivery_id] = task
        task.add_done_callback(lambda _: self._held.pop(delivery.delivery_id, None))

    async def _answer(self, delivery_id: UUID, plan: list[tuple[float, ReceiptState, str]]) -> None:
        for wait, state, reason in plan:
            if wait:
                await asyncio.sleep(wait)
            at = time.time_ns() // 1_000_000
            self._tell(Receipt(id=uuid4(), delivery_id=delivery_id, state=state, at=at, reason=reason))
