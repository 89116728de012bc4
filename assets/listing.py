"""All assets of one case in one list, to be taken away; that it was is in the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from assets.audit import Actor, AuditTrail, Records
from assets.case_summary import CaseSummaries, CaseSummary
from assets.errors import BadFormat, Conflict
from assets.orders import case_of
from assets.search import AssetSearch, FoundRow, Wanted
from assets.search_words import Place

MOST_ROWS = 5_000
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """A case's head and those of its assets that were wanted, masked."""

    summary: CaseSummary
    rows: list[FoundRow]
    at: datetime


class Listings:
    """Every call is made for an `Actor`."""

    def __init__(self, records: Records, audit: AuditTrail, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._search = AssetSearch(records, clock)
        self._summaries = CaseSummaries(records, clock)

    async def of(self, actor: Actor, wanted: Wanted) -> Listing:
        """The assets of one case.

        Raises:
            BadFormat: `wanted` names no case.
            NotPermitted, NotFound: no such case in the actor's courts.
            Conflict: "too-many-rows".
        """
        if wanted.case_id is None:
            raise BadFormat("case", "empty")
        summary = await self._summaries.of(actor, wanted.case_id)
        rows = await self._rows(actor, wanted)
        async with self._records.write() as session:
            case = await case_of(session, actor, wanted.case_id)
            await self._audit.record(
                session,
                actor=actor.user_id,
                court_id=case.court_id,
                action="asset.listed",
                subject_type="case",
                subject_id=str(case.id),
                case_id=case.id,
                details={"rows": len(rows)},
            )
        return Listing(summary, rows, self._clock())

    async def _rows(self, actor: Actor, wanted: Wanted) -> list[FoundRow]:
        rows: list[FoundRow] = []
        after: Place | None = None
        while True:
            page = await self._search.assets(actor, wanted, after=after, limit=_PAGE)
            rows += page.items
            if len(rows) > MOST_ROWS:
                raise Conflict("too-many-rows", most=MOST_ROWS)
            if page.after is None:
                return rows
            after = page.after
