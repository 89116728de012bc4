"""Seals a request: its words are fixed, its papers written and signed, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import wording
from assets.audit import Records
from assets.documents import Action, Document
from assets.gateway import Original, Paper
from assets.measures import MeasureState
from assets.papers.seals import Seal, digest, verified
from assets.papers.writing import Draft, drafts
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, SealedPaper
from assets.terms import china_day


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request with its papers, as they lie in the records."""

    request: AssetRequest
    papers: Sequence[SealedPaper]


class Sealing:
    """Makes a request ready to leave, and sees that it leaves as it was sealed."""

    def __init__(self, seal: Seal, clock: Callable[[], datetime]) -> None:
        self._seal = seal
        self._clock = clock

    async def seal(self, session: AsyncSession, case: Case, request: AssetRequest, sealed_by: UUID | None) -> None:
        """Write the papers and put the court's seal on each."""
        session.add_all(await self.papers_of(session, case, request, sealed_by))

    async def papers_of(
        self, session: AsyncSession, case: Case, request: AssetRequest, sealed_by: UUID | None
    ) -> list[SealedPaper]:
        """The same, for a caller who puts the papers into the records: behind the request that they belong to."""
        now = self._clock()
        papers = [
            SealedPaper(
                request_id=request.id,
                document=draft.document.value,
                number=draft.number,
                content=draft.content,
                sha256=digest(draft.content),
                seal=self._seal.sign(draft.content.encode()),
                seal_key_id=self._seal.id,
                sealed_at=now,
                sealed_by=sealed_by,
            )
            for draft in await self._drafted(session, case, request)
        ]
        request.sealed_at = now
        if request.state in (RequestState.DRAFT, RequestState.APPROVED):
            request.move_to(RequestState.SEALED)
        return papers

    async def sealed(self, records: Records, request_ids: Sequence[UUID]) -> list[Sealed]:
        """These requests with their papers; what was ordered before there was a seal gets them now."""
        query = select(AssetRequest).where(AssetRequest.id.in_(request_ids))
        async with records.read() as session:
            requests = list(await session.scalars(query))
        if any(request.sealed_at is None for request in requests):
            async with records.write() as session:
                requests = list(await session.scalars(query.with_for_update()))
                for request in requests:
                    if request.sealed_at is None:
                        await self.seal(session, await session.get_one(Case, request.case_id), request, None)
        async with records.read() as session:
            papers = list(await session.scalars(select(SealedPaper).where(SealedPaper.request_id.in_(request_ids))))
        of: dict[UUID, list[SealedPaper]] = {}
        for paper in papers:
            of.setdefault(paper.request_id, []).append(paper)
        return [Sealed(request, of.get(request.id, [])) for request in requests]

    def verified(self, sealed: Sealed) -> tuple[Paper, ...]:
        """The papers as they go out.

        Raises:
            PaperTampered: they aren't those that were sealed.
        """
        documents = tuple(Document(one) for one in sealed.request.documents)
        return verified(sealed.papers, documents, sealed.request.ruling_number, self._seal)

    async def preview(self, session: AsyncSession, case: Case, request: AssetRequest) -> list[Draft]:
        """The papers of a draft as they would be sealed now; of the request nothing is changed."""
        session.expunge(request)
        return await self._drafted(session, case, request)

    async def _drafted(self, session: AsyncSession, case: Case, request: AssetRequest) -> list[Draft]:
        person = await session.get_one(Person, request.person_id)
        asset = await session.get_one(Asset, request.asset_id) if request.asset_id else None
        today = china_day(self._clock())
        wording.begin_today(request, today)
        wording.fix(request, case, person, asset, await self._original(session, case, request))
        return drafts(request, today)

    async def _original(self, session: AsyncSession, case: Case, request: AssetRequest) -> Original | None:
        """The order that began the measure which this one changes."""
        if request.measure_id is None or Action(request.action).is_first:
            return None
        measure = await session.get_one(ControlMeasure, request.measure_id)
        first = await session.get_one(AssetRequest, measure.request_id)
        return Original(first.number, case.number, measure.state == MeasureState.WAITING)
