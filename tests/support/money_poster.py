"""A process that moves case money without end: `python -m tests.support.money_poster URL MAIN SEED [ROUNDS]`.

It tells each deed once it is committed, so that whoever kills it knows what must be there afterwards.
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from assets.audit import Actor
from assets.case_accounts.bank import Movement, PayOrder, PayReceipt, Statement
from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import OPEN_PAYMENTS, ArrivalPurpose, ArrivalState
from assets.case_accounts.tables import Arrival, Hold, Payment, Proposal
from assets.errors import AssetsError
from assets.tables import Case, Claim
from command_center.audit import Audit
from command_center.database import Database


class PlainBank:
    """Pays whatever it is asked, once by number."""

    name = "plain"

    async def pay(self, order: PayOrder) -> PayReceipt:
        return PayReceipt(order.number, True, f"OUT{order.number}", f"HZ{order.number}", datetime.now(UTC))

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        return Statement(since, until, 0, 0, ())

    async def close(self) -> None:
        """Nothing is open."""


class Mover:
    """Draws what to do next, by its seed, and does it."""

    def __init__(self, database: Database, main: MainAccount, cases: list[Case], seed: int) -> None:
        self._database = database
        self._main = main
        self._cases = cases
        self._draw = random.Random(seed)
        self._seed = seed
        self._serials = 0
        courts = frozenset({main.court_id})
        self._judge = Actor(uuid4(), courts, may_see=True, may_handle_money=True, own_court_id=main.court_id)
        self._approver = Actor(uuid4(), courts, may_see=True, may_approve_money=True, own_court_id=main.court_id)
        self._accounts = CaseAccounts(
            database, PlainBank(), Audit(), lambda: datetime.now(UTC), _nobody, lambda facts: facts.case_number
        )

    async def once(self) -> str:
        """One deed, committed; what it was. A deed that the books or somebody else made impossible is none."""
        deed = self._draw.choice((self._arrive, self._arrive, self._claim, self._distribute, self._pay, self._release))
        try:
            return await deed()
        except AssetsError as exc:
            return f"refused {exc.code}"

    async def _arrive(self) -> str:
        self._serials += 1
        case = self._draw.choice([*self._cases, None])
        movement = Movement(
            serial=f"{self._seed}-{self._serials}",
            at=datetime.now(UTC),
            cents=self._draw.randint(1, 10**8),
            counterparty_name="张某甲",
            counterparty_account="6217000060000000008",
            remark=case.number if case else "",
            sub_number="",
            order_number="",
        )
        # Told twice, as banks do.
        await self._accounts.intake.take(self._main.id, [movement])
        await self._accounts.intake.take(self._main.id, [movement])
        return f"arrived {movement.serial}"

    async def _claim(self) -> str:
        query = select(Arrival.id).where(Arrival.main_id == self._main.id, Arrival.state == ArrivalState.WAITING.value)
        async with self._database.read() as session:
            waiting = list(await session.scalars(query.limit(5)))
        if not waiting:
            return "nothing"
        chosen, case = self._draw.choice(waiting), self._draw.choice(self._cases)
        await self._accounts.claim(
            self._judge, chosen, case_id=case.id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
        )
        return f"claimed {chosen}"

    async def _distribute(self) -> str:
        case = self._draw.choice(self._cases)
        async with self._database.read() as session:
            claims = list(await session.scalars(select(Claim.id).where(Claim.case_id == case.id)))
            query = select(Proposal.id).where(Proposal.case_id == case.id, Proposal.state == "proposed")
            waiting = (await session.scalars(query)).first()
        if waiting is None:
            holds = {one: "x" for one in claims if self._draw.random() < 0.2}
            waiting = (
                await self._accounts.propose_distribution(self._judge, case.id, holds=holds, idempotency_key=uuid4())
            ).id
        await self._accounts.approve(self._approver, waiting, idempotency_key=uuid4())
        return f"approved {waiting}"

    async def _pay(self) -> str:
        query = select(Payment.id).where(
            Payment.main_id == self._main.id, Payment.state.in_([state.value for state in OPEN_PAYMENTS])
        )
        async with self._database.read() as session:
            orders = list(await session.scalars(query.limit(5)))
        if not orders:
            return "nothing"
        chosen = self._draw.choice(orders)
        await self._accounts.payer.pay(chosen)
        return f"paid {chosen}"

    async def _release(self) -> str:
        async with self._database.read() as session:
            held = (await session.scalars(select(Hold.id).where(Hold.released_at.is_(None)).limit(1))).first()
        if held is None:
            return "nothing"
        await self._accounts.release(self._judge, held, reason="y", idempotency_key=uuid4())
        return f"released {held}"


async def _nobody(_case_id: UUID | None) -> None:
    """There is nobody to tell."""


async def main(url: str, main_id: UUID, seed: int, rounds: int | None) -> None:
    """Move money until killed, or for so many rounds."""
    database = Database(url)
    async with database.read() as session:
        account = await session.get_one(MainAccount, main_id)
        query = select(Case).join(SubAccount, SubAccount.case_id == Case.id).order_by(Case.id)
        cases = list(await session.scalars(query))
    mover = Mover(database, account, cases, seed)
    print("began", flush=True)
    done = 0
    while rounds is None or done < rounds:
        print(await mover.once(), flush=True)
        done += 1
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else None))
