"""Killing processes that move case money, and looking at what is left of it."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.accounts import locked_main, open_missing
from assets.case_accounts.books_check import check_books
from assets.case_accounts.ledger_tables import MainAccount, Posting
from assets.case_accounts.tables import Arrival, Payee, Payment, Proposal
from assets.identifiers import new_id
from assets.tables import Case, Claim, Person
from command_center.database import Database

COURT = UUID(int=5)
CASES = 4
CARD = "6217000060000000008"


async def open_books(database: Database, *, claim_cents: int = 10**12, cases: int = CASES) -> UUID:
    """A main account, some cases of two claims each, and accounts for their people; gives the main account's id."""
    main_id, now = uuid4(), datetime.now(UTC)
    async with database.write() as session:
        session.add(
            MainAccount(
                id=main_id, court_id=COURT, number="0610013200001111", bank_name="b", fee_holder="f",
                fee_number="0610013200009999", opened_at=now, balance_cents=0, postings=0, sub_accounts=0,
            )
        )  # fmt: skip
        for number in range(1, cases + 1):
            await _case(session, number, now, claim_cents)
        await open_missing(session, await locked_main(session, main_id), now)
    return main_id


async def _case(session: AsyncSession, number: int, now: datetime, claim_cents: int) -> None:
    case = Case(
        id=new_id(), court_id=COURT, court_code="内01", court_name="某院（虚构）", number=f"（2026）内01执{number}号",
        claim_cents=claim_cents, judge_name="苏和", work_card="1", duty_card="2", filed_on=date(2026, 3, 2),
    )  # fmt: skip
    session.add(case)
    await session.flush()
    for ordinal in range(3):
        role = "applicant" if ordinal else "under_enforcement"
        number_of_person = f"15010519900101{ordinal:04}"
        person = Person(
            id=new_id(), case_id=case.id, name="李某", id_number=number_of_person, role=role, ordinal=ordinal
        )
        session.add(person)
        await session.flush()
        if ordinal:
            session.add(
                Claim(case_id=case.id, creditor_id=person.id, amount_cents=claim_cents, principal_cents=claim_cents)
            )
        session.add(
            Payee(case_id=case.id, person_id=person.id, account_number=CARD, bank_name="b", bank_code="", named_at=now)
        )
    await session.flush()


async def start_mover(url: str, main_id: UUID, seed: int, rounds: int | None = None) -> asyncio.subprocess.Process:
    """A process that moves money, until killed or for so many rounds."""
    more = [] if rounds is None else [str(rounds)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.money_poster", url, str(main_id), str(seed), *more,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def move_and_kill(url: str, main_id: UUID, seed: int, draw: random.Random) -> list[str]:
    """Let a process move money, kill it at any moment; what it had told by then."""
    mover = await start_mover(url, main_id, seed)
    assert mover.stdout is not None
    wanted, told = draw.randint(8, 30), list[str]()
    async with asyncio.timeout(60):
        while len(told) < wanted:
            told.append((await mover.stdout.readline()).decode().strip())
            assert told[-1], "it ended by itself"
    # Not between two deeds, but anywhere within one.
    await asyncio.sleep(draw.uniform(0, 0.03))
    mover.kill()
    rest = (await mover.stdout.read()).decode().splitlines()
    await mover.wait()
    return [*told, *(line for line in rest if line)]


async def require_whole(database: Database, main_id: UUID, told: list[str]) -> None:
    """Nothing told is missing, nothing is there twice, and the books agree from the first entry to the last."""
    async with database.read() as session:
        main = await session.get_one(MainAccount, main_id, populate_existing=True)
        assert await check_books(session, main) == []
        serials = list(await session.scalars(select(Arrival.bank_serial)))
        assert len(serials) == len(set(serials))
        paid = {str(one) for one in await session.scalars(select(Payment.id).where(Payment.state == "paid"))}
        approved = {str(one) for one in await session.scalars(select(Proposal.id).where(Proposal.state == "approved"))}
        for word, known in (("arrived", set(serials)), ("paid", paid), ("approved", approved)):
            missing = {line.split()[1] for line in told if line.startswith(f"{word} ")} - known
            assert not missing, f"{word}, and not there: {missing}"
        twice = select(Posting.cause_id).where(Posting.kind.in_(("arrival", "claim", "order", "payment", "return")))
        twice = twice.group_by(Posting.cause_id, Posting.kind).having(func.count() > 1)
        assert list(await session.scalars(twice)) == []
