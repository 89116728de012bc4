"""What becomes of a gateway's answer: each is written once, in one transaction with its audit entry."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import AuditTrail, Records
from assets.effects import Effects, measure_of
from assets.errors import (
    GatewayAccepted,
    GatewayObjected,
    GatewayRefused,
    GatewayTrouble,
    GatewayUnreachable,
    PaperTampered,
)
from assets.gateway import ControlReceipt, FoundAsset, QueryAnswer
from assets.objections import objection_to
from assets.requests import AWAITED, RequestState
from assets.tables import CASE_LOCK, Asset, AssetRequest, Case, ReceivedReceipt

WRITING_AT_ONCE = 2
"""How many answers are written at once: they queue here, and not for the database's connections, which screens need."""
LONGEST_CHASE_SECONDS = 3600.0

Changed = Callable[[UUID], Awaitable[None]]
"""Called with a case's id after the transaction in which something of it changed; it raises nothing: a screen that
isn't told looks again by itself."""
_Write = Callable[[AsyncSession, AssetRequest], Awaitable[frozenset[UUID]]]
"""Gives the cases, beside the request's own, in which something changed."""
_NO_OTHER: frozenset[UUID] = frozenset()


class Answers:
    """Writes answers and troubles into the records."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        effects: Effects,
        *,
        chase_seconds: float,
    ) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed
        self._effects = effects
        self._chase_seconds = chase_seconds
        self._turn = asyncio.Semaphore(WRITING_AT_ONCE)

    async def query_answered(self, request_id: UUID, answer: QueryAnswer) -> None:
        """The assets that a gateway named, or that it found nothing."""

        async def write(session: AsyncSession, request: AssetRequest) -> frozenset[UUID]:
            others = _NO_OTHER
            for found in answer.assets:
                asset = await self._keep_asset(session, request, found, answer.answered_at or self._clock())
                others |= await self._effects.found(session, request, asset, found)
            request.found = len(answer.assets)
            self._settle(request, RequestState.ANSWERED if answer.assets else RequestState.NOTHING_FOUND)
            return others

        await self._apply(request_id, write)

    async def control_answered(self, request_id: UUID, receipt: ControlReceipt) -> None:
        """What a gateway did with an order to control."""

        async def write(session: AsyncSession, request: AssetRequest) -> frozenset[UUID]:
            others = await self._effects.receipt(session, request, receipt)
            if receipt.document:
                await session.merge(self._received(request, receipt))
            self._settle(request, RequestState.ANSWERED)
            return others

        await self._apply(request_id, write)

    def _received(self, request: AssetRequest, receipt: ControlReceipt) -> ReceivedReceipt:
        return ReceivedReceipt(
            request_id=request.id,
            number=receipt.receipt_number,
            content=receipt.document,
            sha256=hashlib.sha256(receipt.document).hexdigest(),
            received_at=self._clock(),
        )

    async def troubled(self, request_id: UUID, trouble: GatewayTrouble) -> None:
        """No usable answer: whether that is a refusal, a failure or still open depends on what was asked."""

        async def write(session: AsyncSession, request: AssetRequest) -> frozenset[UUID]:
            if isinstance(trouble, GatewayAccepted):
                self._accepted(request)
                return _NO_OTHER
            request.trouble = trouble.code
            request.reason = trouble.reason if isinstance(trouble, GatewayRefused | GatewayObjected) else ""
            if isinstance(trouble, GatewayObjected):
                session.add(objection_to(request, trouble.reason, self._clock()))
                self._settle(request, RequestState.OBJECTED)
            elif self._stays_open(request, trouble):
                self._ask_again_later(request)
            elif isinstance(trouble, GatewayRefused):
                self._settle(request, RequestState.RETURNED)
                if request.is_control:
                    return await self._effects.refused(session, request, trouble.reason)
            else:
                self._settle(request, RequestState.FAILED)
            return _NO_OTHER

        await self._apply(request_id, write)

    async def postponed(self, request_id: UUID, seconds: float) -> None:
        """Nothing was sent, because we ourselves ask too often: it stands as it stood, and is asked later."""
        async with self._turn, self._records.write() as session:
            request = await session.get_one(AssetRequest, request_id, with_for_update=True)
            _give_back(request)
            if RequestState(request.state) in AWAITED:
                request.next_ask_at = self._clock() + timedelta(seconds=seconds)

    async def unsendable(self, request_id: UUID, tampered: PaperTampered) -> None:
        """A paper isn't the one that was sealed: nothing was sent. Asked before, what came of that stays unknown."""

        async def write(_session: AsyncSession, request: AssetRequest) -> frozenset[UUID]:
            request.trouble = tampered.code
            request.reason = ""
            if request.state == RequestState.SENT and not request.attempts:
                self._settle(request, RequestState.FAILED)
            else:
                request.next_ask_at = self._clock() + timedelta(seconds=LONGEST_CHASE_SECONDS)
            return _NO_OTHER

        await self._apply(request_id, write)

    def _accepted(self, request: AssetRequest) -> None:
        now = self._clock()
        request.trouble = request.reason = ""
        if request.state != RequestState.ACCEPTED:
            request.move_to(RequestState.ACCEPTED)
            request.accepted_at = request.accepted_at or now
        since = (now - (request.accepted_at or now)).total_seconds()
        wait = min(max(self._chase_seconds, since), LONGEST_CHASE_SECONDS)
        request.next_ask_at = now + timedelta(seconds=wait)

    def _stays_open(self, request: AssetRequest, trouble: GatewayTrouble) -> bool:
        if isinstance(trouble, GatewayUnreachable):
            return True
        if not request.is_control:
            return False
        # An error or garbage after an order to control says nothing about whether it was carried out; neither does
        # a refusal of the second asking, when the first got no answer.
        return not isinstance(trouble, GatewayRefused) or request.attempts > 0

    def _ask_again_later(self, request: AssetRequest) -> None:
        wait = min(self._chase_seconds * 2 ** min(request.attempts, 16), LONGEST_CHASE_SECONDS)
        request.attempts += 1
        request.next_ask_at = self._clock() + timedelta(seconds=wait)
        if request.state != RequestState.NO_ANSWER:
            request.move_to(RequestState.NO_ANSWER)

    def _settle(self, request: AssetRequest, state: RequestState) -> None:
        request.move_to(state)
        request.answered_at = self._clock()
        request.next_ask_at = None
        if state in (RequestState.ANSWERED, RequestState.NOTHING_FOUND):
            request.trouble = request.reason = ""

    async def _apply(self, request_id: UUID, write: _Write) -> None:
        async with self._turn, self._records.write() as session:
            # One answer of a case at a time; on SQLite the writing transaction has seen to that already.
            of_request = select(Case).join(AssetRequest, AssetRequest.case_id == Case.id)
            of_request = of_request.where(AssetRequest.id == request_id).with_for_update(of=Case, **CASE_LOCK)
            case = (await session.scalars(of_request)).one()
            request = await session.get_one(AssetRequest, request_id, with_for_update=True)
            if RequestState(request.state) not in AWAITED:
                return  # answered twice: the first one stands
            before = request.state
            _give_back(request)
            others = await write(session, request)
            if request.state == before == RequestState.ACCEPTED:
                return  # it says once more that it has it
            await self._audit.record(
                session,
                actor=None,
                court_id=case.court_id,
                action=f"asset.{request.action}.{request.state}",
                subject_type="asset_request",
                subject_id=str(request.id),
                case_id=request.case_id,
                details={"number": request.number, "gateway": request.gateway, "found": request.found},
                contents=await self._contents(session, request),
            )
            case_id = request.case_id
        for changed in {case_id, *others}:
            await self._changed(changed)

    async def _contents(self, session: AsyncSession, request: AssetRequest) -> dict[str, str | int | None]:
        """What an answer said, for the journal of the operation."""
        said: dict[str, str | int | None] = {"trouble": request.trouble, "reason": request.reason}
        if request.is_control:
            measure = await measure_of(session, request)
            said |= {
                "asset": str(request.asset_id),
                "measure": measure.state,
                "controlled_cents": measure.controlled_cents,
                "over_cents": measure.over_cents,
                "rank": measure.rank,
                "receipt_number": measure.receipt_number,
                "reason": measure.reason or request.reason,
            }
        return said

    async def _keep_asset(
        self, session: AsyncSession, request: AssetRequest, found: FoundAsset, answered_at: datetime
    ) -> Asset:
        # What nobody keeps yet is a clue that this answer confirms; what another gateway keeps is another thing.
        same = select(Asset).where(
            Asset.case_id == request.case_id,
            Asset.kind == found.kind.value,
            Asset.reference == found.reference,
            Asset.gateway.in_((request.gateway, "")),
        )
        asset = (await session.scalars(same.order_by(Asset.gateway.desc()).limit(1))).one_or_none()
        if asset is None:
            asset = Asset(
                case_id=request.case_id,
                person_id=request.person_id,
                kind=found.kind.value,
                reference=found.reference,
            )
            session.add(asset)
        asset.gateway = request.gateway
        asset.description = found.description
        asset.details = {**found.details, **{name: list(lines) for name, lines in found.lists.items()}}
        asset.value_cents = found.value_cents
        asset.available_cents = found.available_cents
        asset.encumbrances = [_plain(asdict(one)) for one in found.encumbrances]
        asset.origin = "answer"
        asset.answered_at = answered_at
        return asset


def _give_back(request: AssetRequest) -> None:
    request.claimed_by, request.claimed_until = "", None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
