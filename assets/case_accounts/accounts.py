"""Main accounts and the sub-accounts of cases: opening, finding and locking them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.ledger_tables import LedgerAccount, MainAccount, SubAccount
from assets.case_accounts.states import AccountKind
from assets.case_accounts.tables import Arrival, Payment
from assets.errors import NotFound, NotPermitted
from assets.identifiers import new_id
from assets.tables import Case

OPENED_AT_ONCE = 500
"""How many cases get their sub-account in one transaction."""


async def main_of(session: AsyncSession, court_id: UUID, *, lock: bool = False) -> MainAccount:
    """The main account of a court; whoever writes anything of it locks it first.

    Raises:
        NotFound: the court has none.
    """
    query = select(MainAccount).where(MainAccount.court_id == court_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    main = (await session.scalars(query)).one_or_none()
    if main is None:
        raise NotFound("no-main-account")
    return main


async def locked_main(session: AsyncSession, main_id: UUID) -> MainAccount:
    """A main account by its id, locked."""
    query = select(MainAccount).where(MainAccount.id == main_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


def require_own_main(actor: Actor, court_id: UUID) -> None:
    """Refuse whoever may only look at this court's account: money that is no case's yet is its court's all the same."""
    if court_id != actor.own_court_id:
        raise NotPermitted("not-own-court-account")


async def locked_arrival(session: AsyncSession, actor: Actor, arrival_id: UUID) -> tuple[Arrival, MainAccount]:
    """An arrival of the actor's courts and, locked, the main account that it came into.

    Raises:
        NotFound: there is none such.
        NotPermitted: the actor may only look at this court's account.
    """
    arrival = await session.get(Arrival, arrival_id)
    if arrival is None:
        raise NotFound("no-such-arrival")
    main = await locked_main(session, arrival.main_id)
    if main.court_id not in seen_courts(actor):
        raise NotFound("no-such-arrival")
    require_own_main(actor, main.court_id)
    await session.refresh(arrival)
    return arrival, main


async def locked_payment(session: AsyncSession, actor: Actor, payment_id: UUID) -> tuple[Payment, MainAccount]:
    """A payment of the actor's courts and, locked, the main account that it leaves.

    Raises:
        NotFound: there is none such.
        NotPermitted: the actor may only look at this court's account.
    """
    payment = await session.get(Payment, payment_id)
    if payment is None:
        raise NotFound("no-such-payment")
    main = await locked_main(session, payment.main_id)
    if main.court_id not in seen_courts(actor):
        raise NotFound("no-such-payment")
    require_own_main(actor, main.court_id)
    await session.refresh(payment)
    return payment, main


def seen_courts(actor: Actor) -> frozenset[UUID]:
    """The courts whose money somebody may know of: none for who is bound to single cases."""
    return actor.court_ids if actor.case_ids is None else frozenset()


async def sub_account(session: AsyncSession, main: MainAccount, case_id: UUID, at: datetime) -> SubAccount:
    """The sub-account of a case, opened where it has none; `main` is locked."""
    known = (await session.scalars(select(SubAccount).where(SubAccount.case_id == case_id))).one_or_none()
    if known is not None:
        return known
    main.sub_accounts += 1
    number = f"{main.number}{main.sub_accounts:06d}"
    opened = SubAccount(id=new_id(), main_id=main.id, case_id=case_id, number=number, opened_at=at)
    session.add(opened)
    await session.flush()
    return opened


async def open_missing(session: AsyncSession, main: MainAccount, at: datetime) -> int:
    """Open a sub-account for cases of the court that have none; how many it were."""
    query = (
        select(Case.id)
        .outerjoin(SubAccount, SubAccount.case_id == Case.id)
        .where(Case.court_id == main.court_id, SubAccount.id.is_(None))
        .order_by(Case.id)
        .limit(OPENED_AT_ONCE)
    )
    case_ids = list(await session.scalars(query))
    for case_id in case_ids:
        await sub_account(session, main, case_id, at)
    return len(case_ids)


async def balances(session: AsyncSession, owner_id: UUID) -> dict[AccountKind, int]:
    """What lies where, of one case or of the court itself; `received` as a positive sum."""
    query = select(LedgerAccount.kind, LedgerAccount.balance_cents).where(LedgerAccount.owner_id == owner_id)
    found = dict.fromkeys(AccountKind, 0)
    for kind, cents in await session.execute(query):
        found[AccountKind(kind)] = -cents if kind == AccountKind.RECEIVED else cents
    return found
