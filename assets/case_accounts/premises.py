"""What a proposed distribution rests on, and what of that has changed since: then it must be computed anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.computing import facts_now
from assets.case_accounts.tables import Payee, Proposal
from assets.errors import Conflict
from assets.formats import amount_text
from assets.masks import masked_account, masked_name
from assets.tables import Person

_OF_THE_PAYEE = frozenset({"account", "name"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that isn't as it was when the distribution was computed; names and accounts are masked.

    What: account, name (of somebody who is to be paid), amount, principal, interest-from, creditor, priority,
    claim-new, claim-gone (of claims), payments (what was paid, held or taken as fee before), unknown (it was proposed
    before these were kept).
    """

    what: str
    person_id: UUID | None = None
    before: str = ""
    now: str = ""


async def premises_of(session: AsyncSession, case_id: UUID, person_ids: Iterable[UUID]) -> dict[str, Any]:
    """What a distribution made now would rest on, where these persons are paid."""
    return {**await facts_now(session, case_id), "payees": await _payees(session, case_id, person_ids)}


async def changes_since(session: AsyncSession, proposal: Proposal) -> list[Change]:
    """What has changed since a distribution was proposed; empty where it still rests on what it was computed from."""
    then = proposal.content.get("premises")
    if then is None:
        return [Change("unknown")]
    now = await premises_of(session, proposal.of_case, [UUID(one) for one in then["payees"]])
    return [
        *_of_payees(then["payees"], now["payees"]),
        *_of_claims(then["claims"], now["claims"]),
        *_of_past(then, now),
    ]


async def require_unchanged(session: AsyncSession, proposal: Proposal) -> None:
    """Refuse a distribution that rests on what isn't so any more.

    Raises:
        Conflict: an account, a name, a claim or what was paid before has changed.
    """
    changes = await changes_since(session, proposal)
    if any(one.what in _OF_THE_PAYEE for one in changes):
        raise Conflict("payee-changed")
    if changes:
        raise Conflict("computation-stale")


async def _payees(session: AsyncSession, case_id: UUID, person_ids: Iterable[UUID]) -> dict[str, dict[str, Any]]:
    wanted = set(person_ids)
    query = select(Payee).where(Payee.case_id == case_id, Payee.person_id.in_(wanted))
    newest = {one.person_id: one for one in await session.scalars(query.order_by(Payee.named_at, Payee.id))}
    people = {one.id: one for one in await session.scalars(select(Person).where(Person.id.in_(wanted)))}
    return {
        str(person_id): {
            "name": people[person_id].name if person_id in people else "",
            "is_firm": person_id in people and people[person_id].is_firm,
            "account": payee.account_number if (payee := newest.get(person_id)) else "",
            "bank": payee.bank_name if payee else "",
            "bank_code": payee.bank_code if payee else "",
        }
        for person_id in sorted(wanted)
    }


def _of_payees(then: dict[str, Any], now: dict[str, Any]) -> Iterator[Change]:
    for person_id, old in then.items():
        new = now[person_id]
        if (old["account"], old["bank_code"]) != (new["account"], new["bank_code"]):
            yield Change("account", UUID(person_id), masked_account(old["account"]), masked_account(new["account"]))
        if old["name"] != new["name"]:
            names = [masked_name(one["name"], is_firm=one["is_firm"]) for one in (old, new)]
            yield Change("name", UUID(person_id), *names)


def _of_claims(then: dict[str, Any], now: dict[str, Any]) -> Iterator[Change]:
    for claim_id in sorted(then.keys() | now.keys()):
        old, new = then.get(claim_id), now.get(claim_id)
        if old is None or new is None:
            claim = {**then, **now}[claim_id]
            what = "claim-new" if old is None else "claim-gone"
            yield Change(what, UUID(claim["person_id"]), now=amount_text(claim["amount"]))
            continue
        person_id = UUID(new["person_id"])
        for what in ("amount", "principal"):
            if old[what] != new[what]:
                yield Change(what, person_id, amount_text(old[what]), amount_text(new[what]))
        if old["interest_from"] != new["interest_from"]:
            yield Change("interest-from", person_id, old["interest_from"], new["interest_from"])
        if old["person_id"] != new["person_id"]:
            yield Change("creditor", person_id)
        if old["is_priority"] != new["is_priority"]:
            yield Change("priority", person_id)


def _of_past(then: dict[str, Any], now: dict[str, Any]) -> Iterator[Change]:
    if any(then[name] != now[name] for name in ("credited", "fee_taken")):
        yield Change("payments")
