"""What arrives: each movement of the bank once, matched to its case or waiting to be claimed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.audit import Actor
from assets.case_accounts.accounts import locked_arrival, locked_main, sub_account
from assets.case_accounts.bank import Movement
from assets.case_accounts.books import Books
from assets.case_accounts.ledger import Line, arriving
from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.case_accounts.states import AccountKind, ArrivalPurpose, ArrivalState, PostingKind
from assets.case_accounts.tables import Arrival
from assets.case_accounts.trail import earlier_deed, keep_deed
from assets.case_accounts.untouched import require_untouched
from assets.errors import BadFormat, Conflict, NotFound
from assets.masks import masked_words
from assets.names import private_names
from assets.orders import case_of, require, require_own_court
from assets.tables import Case

_CASE_NUMBER = re.compile(
    rf"[（(〔\[]\s*\d{{4}}\s*[）)〕\]]\s*内\s*\d{{2}}(?:\d{{2}})?\s*(?:{'|'.join(formats.CASE_TYPES)})\s*[1-9]\d*\s*号"
)


@dataclass(frozen=True, slots=True)
class Match:
    """Which case an arrival is for, and how that is known."""

    case_id: UUID
    by: str


class Intake:
    """Takes arrivals in; every one is a transaction with its posting and its note in the audit."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def take(self, main_id: UUID, movements: Sequence[Movement]) -> int:
        """Take in what came in and isn't known yet; how many it were. The same serial again is the same arrival."""
        incoming = [one for one in movements if one.cents > 0]
        if not incoming:
            return 0
        async with self._books.records.read() as session:
            known_serials = select(Arrival.bank_serial).where(
                Arrival.main_id == main_id, Arrival.bank_serial.in_([one.serial for one in incoming])
            )
            known = set(await session.scalars(known_serials))
        taken = 0
        for movement in incoming:
            if movement.serial not in known:
                async with self._books.records.write() as session:
                    main = await locked_main(session, main_id)
                    taken += await self.take_one(session, main, movement) is not None
        return taken

    async def take_one(
        self, session: AsyncSession, main: MainAccount, movement: Movement, *, notified_at: datetime | None = None
    ) -> Arrival | None:
        """Take one in, in the caller's transaction on the locked `main`; None where it is known."""
        query = select(Arrival.id).where(Arrival.main_id == main.id, Arrival.bank_serial == movement.serial)
        if (await session.scalars(query)).first() is not None:
            return None
        match = await self._match(session, main, movement)
        arrival = self._arrival(main, movement, match, notified_at or self._books.clock())
        session.add(arrival)
        await session.flush()
        if match is not None:
            await sub_account(session, main, match.case_id, self._books.clock())
        place = place_of(ArrivalPurpose(arrival.purpose)) if match else AccountKind.UNCLAIMED
        await self._books.ledger.post(
            session,
            main,
            PostingKind.ARRIVAL,
            arriving(arrival.cents, place, arrival.case_id),
            cause_id=arrival.id,
            case_id=arrival.case_id,
            bank_cents=arrival.cents,
            at=arrival.notified_at,
        )
        await self._books.record_deed(
            session,
            "case_money.arrived",
            ("case_arrival", arrival.id),
            court_id=main.court_id,
            actor_id=None,
            serial=arrival.bank_serial,
            state=arrival.state,
        )
        return arrival

    async def claim(
        self, actor: Actor, arrival_id: UUID, *, case_id: UUID, purpose: ArrivalPurpose, idempotency_key: UUID
    ) -> UUID:
        """Say which case a waiting arrival is for; gives the arrival's id.

        Raises:
            NotPermitted, NotFound.
            Conflict: it is some case's already, or the key was used for something else.
        """
        require(actor.may_handle_money)
        what = (arrival_id, case_id, purpose.value)
        async with self._books.records.write() as session:
            arrival, main = await locked_arrival(session, actor, arrival_id)
            case = await case_of(session, actor, case_id)
            require_own_court(actor, case)
            if await earlier_deed(session, idempotency_key, "claim", actor, *what):
                return arrival.id
            if case.court_id != main.court_id:
                raise NotFound("no-such-case")
            arrival.require_waiting()
            await sub_account(session, main, case_id, self._books.clock())
            self._mark(arrival, actor, case_id, purpose)
            await self._books.ledger.post(
                session,
                main,
                PostingKind.CLAIM,
                (
                    Line(AccountKind.UNCLAIMED, -arrival.cents),
                    Line(AccountKind.RECEIVED, arrival.cents),
                    *arriving(arrival.cents, place_of(purpose), case_id),
                ),
                cause_id=arrival.id,
                case_id=case_id,
                actor_id=actor.user_id,
            )
            await keep_deed(session, self._books.clock(), idempotency_key, "claim", actor, arrival.id, *what)
            await self._books.record_deed(
                session,
                "case_money.claimed",
                ("case_arrival", arrival.id),
                court_id=case.court_id,
                actor_id=actor.user_id,
                serial=arrival.bank_serial,
                case=str(case_id),
                purpose=purpose.value,
            )
        return arrival_id

    async def unmatch(self, actor: Actor, arrival_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Say that an arrival isn't for the case that it was matched to: it waits to be claimed again.

        Gives the case's id. What it did to the books is reversed by another posting.

        Raises:
            NotPermitted, NotFound.
            Conflict: it waits or goes back already, or a distribution or refund was made with it.
        """
        require(actor.may_handle_money)
        async with self._books.records.write() as session:
            arrival, main = await locked_arrival(session, actor, arrival_id)
            if known := await earlier_deed(session, idempotency_key, "unmatch", actor, arrival_id, reason):
                return known
            case_id = arrival.case_id
            if case_id is None:
                raise Conflict("arrival-not-matched")
            place = place_of(ArrivalPurpose(arrival.purpose))
            await require_untouched(session, arrival, case_id, place)
            _forget_case(arrival)
            await self._books.ledger.post(
                session,
                main,
                PostingKind.UNMATCH,
                (
                    Line(place, -arrival.cents, case_id),
                    Line(AccountKind.RECEIVED, arrival.cents, case_id),
                    *arriving(arrival.cents, AccountKind.UNCLAIMED, None),
                ),
                cause_id=arrival.id,
                case_id=case_id,
                actor_id=actor.user_id,
            )
            await keep_deed(
                session, self._books.clock(), idempotency_key, "unmatch", actor, case_id, arrival_id, reason
            )
            await self._books.record_deed(
                session,
                "case_money.unmatched",
                ("case_arrival", arrival.id),
                court_id=main.court_id,
                actor_id=actor.user_id,
                serial=arrival.bank_serial,
                case=str(case_id),
                reason=masked_words(reason, [arrival.payer_name, *await private_names(session, [case_id])]),
            )
        return case_id

    def _mark(self, arrival: Arrival, actor: Actor, case_id: UUID, purpose: ArrivalPurpose) -> None:
        arrival.case_id = case_id
        arrival.purpose = purpose.value
        arrival.state = ArrivalState.CLAIMED.value
        arrival.matched_by = "judge"
        arrival.claimed_by = actor.user_id
        arrival.claimed_at = self._books.clock()

    def _arrival(self, main: MainAccount, movement: Movement, match: Match | None, notified_at: datetime) -> Arrival:
        arrival_id, receipt_number = self._books.numbered("SK")
        is_fee = any(word in movement.remark for word in self._books.practice.court_fee_words)
        return Arrival(
            id=arrival_id,
            main_id=main.id,
            bank_serial=movement.serial,
            cents=movement.cents,
            payer_name=movement.counterparty_name,
            payer_account=movement.counterparty_account,
            remark=movement.remark,
            sub_number=movement.sub_number,
            arrived_at=movement.at,
            notified_at=notified_at,
            purpose=(ArrivalPurpose.COURT_FEE if is_fee else ArrivalPurpose.ENFORCEMENT).value,
            case_id=match.case_id if match else None,
            state=(ArrivalState.MATCHED if match else ArrivalState.WAITING).value,
            matched_by=match.by if match else "",
            receipt_number=receipt_number,
        )

    async def _match(self, session: AsyncSession, main: MainAccount, movement: Movement) -> Match | None:
        """The case, where the sub-account and the remark name one between them; where they name two, nobody knows."""
        found: dict[UUID, str] = {}
        if movement.sub_number:
            query = select(SubAccount.case_id).where(
                SubAccount.main_id == main.id, SubAccount.number == movement.sub_number
            )
            found.update((case_id, "sub-account") for case_id in await session.scalars(query))
        if numbers := self._numbers_in(movement.remark):
            named = select(Case.id).where(Case.court_id == main.court_id, Case.number.in_(numbers))
            for case_id in await session.scalars(named):
                found.setdefault(case_id, "case-number")
        if len(found) != 1:
            return None
        ((case_id, by),) = found.items()
        return Match(case_id, by)

    def _numbers_in(self, remark: str) -> set[str]:
        numbers = set()
        for text in _CASE_NUMBER.findall(remark):
            try:
                numbers.add(formats.case_number(text, self._books.today()))
            except BadFormat:
                continue  # it only looked like one
        return numbers


def _forget_case(arrival: Arrival) -> None:
    arrival.case_id = None
    arrival.state = ArrivalState.WAITING.value
    arrival.matched_by = ""
    arrival.claimed_by = arrival.claimed_at = None


def place_of(purpose: ArrivalPurpose) -> AccountKind:
    """Where money that arrived lies in its case's account."""
    return AccountKind.PREPAID if purpose is ArrivalPurpose.COURT_FEE else AccountKind.UNDISTRIBUTED
