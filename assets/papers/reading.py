"""The papers of a request, each reading on record: whole for the case's own judge and for the second person of that
very request, for everybody else without names and numbers.

Source: 个人信息保护法 §28, §51.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditTrail, Records
from assets.errors import NotFound, PaperTampered
from assets.masks import masked_description, masked_holder, masked_words
from assets.names import private_names
from assets.orders import case_of, not_own_court, require
from assets.papers.sealing import Sealing
from assets.papers.seals import Seal, paper_of, verify_paper
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, ReceivedReceipt, SealedPaper

RECEIPT = "receipt"
"""Beside the values of `Document`: what the other side sent back."""


@dataclass(frozen=True, slots=True)
class PaperHead:
    """A paper in a list."""

    id: UUID
    request_id: UUID
    document: str
    number: str
    sha256: str
    seal: str
    seal_key_id: str
    sealed_at: datetime
    sealed_by: UUID | None
    trouble: str
    """What doesn't agree in it, if anything doesn't: digest, key, seal."""


@dataclass(frozen=True, slots=True)
class PaperText:
    """A paper, whole; one of a draft has no seal yet, and the other side's receipt none of ours, and so no head."""

    document: str
    number: str
    content: str
    head: PaperHead | None = None
    is_masked: bool = False
    """Names and numbers in it are left out for this reader: what the seal vouches for is the whole text."""


class PaperReading:
    """Reads papers."""

    def __init__(self, records: Records, audit: AuditTrail, seal: Seal, sealing: Sealing) -> None:
        self._records = records
        self._audit = audit
        self._seal = seal
        self._sealing = sealing

    async def of_request(self, actor: Actor, request_id: UUID) -> list[PaperHead]:
        """Which papers a request has; a draft has none yet."""
        require(actor.may_see)
        async with self._records.read() as session:
            _, request = await self._found(session, actor, request_id)
            rows = await self._rows(session, request)
            return [self._head(row) for row in rows]

    async def read(self, actor: Actor, request_id: UUID) -> list[PaperText]:
        """Every paper of a request, as far as the actor may read it; that it was read is noted.

        Of a draft they are shown as they would be sealed now; of an answered order the other side's receipt comes last.

        Raises:
            NotPermitted: the actor neither orders controls nor approves them.
            NotFound: there is no such request in the actor's courts.
        """
        require(actor.may_control or actor.may_approve)
        async with self._records.write() as session:
            case, request = await self._found(session, actor, request_id)
            rows = await self._rows(session, request)
            if rows or request.state != RequestState.DRAFT:
                texts = [PaperText(row.document, row.number, row.content, self._head(row)) for row in rows]
            else:
                drafts = await self._sealing.preview(session, case, request)
                texts = [PaperText(one.document.value, one.number, one.content) for one in drafts]
            received = await session.get(ReceivedReceipt, request.id)
            if received is not None:
                texts.append(PaperText(RECEIPT, received.number, _text_of(received)))
            is_whole = _may_read_whole(actor, case, request)
            if not is_whole:
                masked = await _masking(session, case, request)
                texts = [replace(one, content=masked(one.content), is_masked=True) for one in texts]
            await self._audit.record(
                session,
                actor=actor.user_id,
                court_id=case.court_id,
                action="asset.paper.read",
                subject_type="asset_request",
                subject_id=str(request.id),
                case_id=case.id,
                details={"number": request.number, "count": len(texts), "whole": int(is_whole)},
            )
            return texts

    async def _rows(self, session: AsyncSession, request: AssetRequest) -> list[SealedPaper]:
        """The sealed papers in the order in which the action names them."""
        rows = await session.scalars(select(SealedPaper).where(SealedPaper.request_id == request.id))
        places = {document: place for place, document in enumerate(request.documents)}
        return sorted(rows, key=lambda row: places.get(row.document, len(places)))

    async def _found(self, session: AsyncSession, actor: Actor, request_id: UUID) -> tuple[Case, AssetRequest]:
        request = await session.get(AssetRequest, request_id)
        if request is None:
            raise NotFound("no-such-request")
        return await case_of(session, actor, request.case_id, missing="no-such-request"), request

    def _head(self, row: SealedPaper) -> PaperHead:
        trouble = ""
        try:
            verify_paper(paper_of(row), self._seal)
        except PaperTampered as exc:
            trouble = str(exc.parameters["why"])
        return PaperHead(
            id=row.id,
            request_id=row.request_id,
            document=row.document,
            number=row.number,
            sha256=row.sha256,
            seal=row.seal,
            seal_key_id=row.seal_key_id,
            sealed_at=row.sealed_at,
            sealed_by=row.sealed_by,
            trouble=trouble,
        )


def _may_read_whole(actor: Actor, case: Case, request: AssetRequest) -> bool:
    """The case's own judge, and whoever decides or has decided on this request as the second person."""
    if not_own_court(actor, case) is not None:
        return False
    is_second = actor.may_approve and request.approval != "" and request.actor_id != actor.user_id
    return case.judge_id == actor.user_id or (is_second and request.decided_by in (None, actor.user_id))


async def _masking(session: AsyncSession, case: Case, request: AssetRequest) -> Callable[[str], str]:
    """What takes names, numbers and an address down to its street out of this request's papers."""
    names = await private_names(session, [case.id])
    asset = await session.get(Asset, request.asset_id) if request.asset_id else None
    described = " ".join(str(request.particulars.get("description", "")).split())
    receiver = str(request.payee.get("name", ""))

    def masked(content: str) -> str:
        if asset is not None and described:
            content = content.replace(described, masked_description(asset.kind, described, names))
        if receiver:
            content = content.replace(receiver, masked_holder(receiver))
        return masked_words(content, names)

    return masked


def _text_of(received: ReceivedReceipt) -> str:
    """What it says; of a picture or a PDF by which hash it is known."""
    try:
        return received.content.decode()
    except UnicodeDecodeError:
        return f"SHA-256 {received.sha256}"
