"""Main accounts and the sub-accounts of cases: opening, finding and locking them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.ledger_tables import LedgerAccount, MainAccount, SubAccount
from assets.case_accounts.states import AccountKind
from assets.case_accounts.tables import Arrival, Discrepancy, Payment, Proposal
from assets.errors import NotFound, NotPermitted
from assets.identifiers import new_id
from assets.tables import Case

_OfMain = TypeVar("_OfMain", Arrival, Discrepancy, Payment, Proposal)

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


def require_own_main(actor: Actor, court_id: UUID, missing: str) -> None:
    """Refuse whoever may only look at this court's account: money that is no case's yet is its court's all the same.

    Raises:
        NotFound: of `missing`, to whom may not even know of it.
        NotPermitted: the actor may only look at this court's account.
    """
    if court_id not in seen_courts(actor):
        raise NotFound(missing)
    if court_id != actor.own_court_id:
        raise NotPermitted("not-own-court-account")


async def locked_of_own_main(
    session: AsyncSession, actor: Actor, kind: type[_OfMain], thing_id: UUID, missing: str
) -> tuple[_OfMain, MainAccount]:
    """What belongs to the main account of the actor's own court and, locked, that account.

    Raises:
        NotFound: of `missing`: there is none such in the courts that the actor sees.
        NotPermitted: the actor may only look at this court's account.
    """
    thing = await session.get(kind, thing_id)
    if thing is None:
        raise NotFound(missing)
    main = await locked_main(session, thing.main_id)
    require_own_main(actor, main.court_id, missing)
    await session.refresh(thing)
    return thing, main


async def locked_arrival(session: AsyncSession, actor: Actor, arrival_id: UUID) -> tuple[Arrival, MainAccount]:
    """An arrival and, locked, the main account that it came into; refusals as `locked_of_own_main`."""
    return await locked_of_own_main(session, actor, Arrival, arrival_id, "no-such-arrival")


async def locked_payment(session: AsyncSession, actor: Actor, payment_id: UUID) -> tuple[Payment, MainAccount]:
    """A payment and, locked, the main account that it leaves; refusals as `locked_of_own_main`."""
    return await locked_of_own_main(session, actor, Payment, payment_id, "no-such-payment")


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
