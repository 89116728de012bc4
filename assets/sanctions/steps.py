"""The steps after a proposal: each by whom it belongs to, once, with its place in the time line and in the audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.errors import BadFormat, Conflict
from assets.sanctions.checks import without_data
from assets.sanctions.deeds import Deed
from assets.sanctions.grounds import (
    DELETION_WORKING_DAYS,
    DeletionGround,
    Ground,
    Performance,
    ServiceManner,
    listing_ends_on,
)
from assets.sanctions.publication import publication_text, published_fields
from assets.sanctions.publishing import add_publication, end_publication, publications_of
from assets.sanctions.reading import Opened, Reading
from assets.sanctions.states import STANDING, SanctionState
from assets.sanctions.tables import Sanction
from assets.sanctions.taking import Taking, state_before
from assets.sanctions.views import SanctionView

_ENDS_THE_DUTY = frozenset(
    {
        DeletionGround.PERFORMED,
        DeletionGround.SETTLEMENT_PERFORMED,
        DeletionGround.NOT_ENFORCEABLE,
        DeletionGround.ENDED,
    }
)
"""Nothing is owed in this case any more, so that its other sanction on the person has to go as well."""


class Steps:
    """Takes one step at a time; repeated with the same key, a step stays one."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        reading: Reading,
    ) -> None:
        self._clock = clock
        self._reading = reading
        self._taking = Taking(records, audit, clock, changed, reading)

    async def review(self, actor: Actor, sanction_id: UUID, key: UUID) -> SanctionView:
        """Take a proposal up for review."""

        async def apply(_session: AsyncSession, opened: Opened) -> None:
            opened.sanction.move_to(SanctionState.UNDER_REVIEW)

        return await self._taking.take(actor, sanction_id, Deed.REVIEW, {}, key, apply)

    async def decide(
        self, actor: Actor, sanction_id: UUID, key: UUID, *, decision_number: str, seen: Sequence[str]
    ) -> SanctionView:
        """Sign it: a second person of the case's own court, who names each check for which there is no data.

        Raises:
            Conflict: `sanction-unseen-checks` where one of those isn't named in `seen`, and as the deeds say.
        """

        async def apply(_session: AsyncSession, opened: Opened) -> None:
            sanction = opened.sanction
            sanction.decision_number = formats.ruling_number(decision_number, self._reading.today())
            unseen = {check.code.value for check in without_data(opened.checks)} - set(seen)
            if unseen:
                raise Conflict("sanction-unseen-checks", checks=", ".join(sorted(unseen)))
            sanction.checks = [check.as_json() for check in opened.checks]
            sanction.decided_by = actor.user_id
            sanction.decided_on = self._reading.today()
            sanction.move_to(SanctionState.DECIDED)

        given = {"decision_number": decision_number, "seen": sorted(set(seen))}
        return await self._taking.take(actor, sanction_id, Deed.DECIDE, given, key, apply)

    async def refuse(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView:
        """Don't sign it."""
        return await self._end(actor, sanction_id, Deed.REFUSE, reason, key)

    async def withdraw(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView:
        """Take one's own proposal back."""
        return await self._end(actor, sanction_id, Deed.WITHDRAW, reason, key)

    async def serve(
        self, actor: Actor, sanction_id: UUID, key: UUID, *, served_on: date, manner: ServiceManner
    ) -> SanctionView:
        """Note that the decision was served, on the day of its receipt."""

        async def apply(_session: AsyncSession, opened: Opened) -> None:
            self._require_past("service-date", served_on, opened.sanction.decided_on)
            opened.sanction.served_on = served_on
            opened.sanction.service_manner = manner.value
            opened.sanction.move_to(SanctionState.SERVED)

        given = {"served_on": served_on.isoformat(), "manner": manner.value}
        return await self._taking.take(actor, sanction_id, Deed.SERVE, given, key, apply)

    async def publish(self, actor: Actor, sanction_id: UUID, key: UUID) -> SanctionView:
        """Publish it: what the public reads is kept word for word, and the term of a listing begins."""

        async def apply(session: AsyncSession, opened: Opened) -> None:
            sanction = opened.sanction
            sanction.starts_on = self._reading.today()
            if sanction.is_listing:
                sanction.ends_on = listing_ends_on(Ground(sanction.ground), sanction.extra_years, sanction.starts_on)
            sanction.move_to(SanctionState.PUBLISHED)
            await self._publish(session, actor, opened)

        return await self._taking.take(actor, sanction_id, Deed.PUBLISH, {}, key, apply)

    async def shield(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView:
        """Hide it from the public for the time being; its term runs on."""

        async def apply(session: AsyncSession, opened: Opened) -> None:
            opened.sanction.move_to(SanctionState.SHIELDED)
            await end_publication(session, opened.sanction, Deed.SHIELD.value, self._clock())

        return await self._taking.take(actor, sanction_id, Deed.SHIELD, {"reason": reason}, key, apply)

    async def unshield(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView:
        """Let the public read it again, as it was."""

        async def apply(session: AsyncSession, opened: Opened) -> None:
            last = (await publications_of(session, opened.sanction))[-1]
            opened.sanction.move_to(await state_before(session, opened.sanction, Deed.SHIELD))
            await add_publication(session, opened.sanction, dict(last.fields), last.text, actor.user_id, self._clock())

        return await self._taking.take(actor, sanction_id, Deed.UNSHIELD, {"reason": reason}, key, apply)

    async def correct(
        self,
        actor: Actor,
        sanction_id: UUID,
        key: UUID,
        *,
        reason: str,
        performance: Performance,
        basis_document: str = "",
        duty: str = "",
    ) -> SanctionView:
        """Publish it with other contents; what stood there before is kept. An empty text leaves it as it is.

        Raises:
            Conflict: `sanction-nothing-corrected` where nothing would change.
        """

        async def apply(session: AsyncSession, opened: Opened) -> None:
            sanction = opened.sanction
            sanction.basis_document = basis_document or sanction.basis_document
            sanction.duty = duty or sanction.duty
            sanction.performance = performance.value
            last = (await publications_of(session, sanction))[-1]
            fields = published_fields(sanction, opened.case, opened.person, self._reading.today())
            if fields == dict(last.fields):
                raise Conflict("sanction-nothing-corrected")
            sanction.move_to(SanctionState.CORRECTED)
            await end_publication(session, sanction, Deed.CORRECT.value, self._clock())
            await self._publish(session, actor, opened)

        given = {"reason": reason, "basis_document": basis_document, "duty": duty, "performance": performance.value}
        return await self._taking.take(actor, sanction_id, Deed.CORRECT, given, key, apply)

    async def note_ground(
        self, actor: Actor, sanction_id: UUID, key: UUID, *, ground: DeletionGround, since: date, reason: str
    ) -> SanctionView:
        """Note why it has to be deleted: within three working days after `since`.

        Where nothing is owed any more, the other sanction on the person in this case has to go as well.

        Source: 法释〔2017〕7号.
        """

        async def apply(session: AsyncSession, opened: Opened) -> None:
            sanction = opened.sanction
            self._require_past("ground-date", since, None)
            self._set_clock(sanction, ground, since)
            if ground in _ENDS_THE_DUTY:
                for other in await self._others_without_ground(session, sanction):
                    self._set_clock(other, ground, since)
                    self._taking.add(session, other, Deed.NOTE_GROUND.value, other.state, actor.user_id, given)
                    await self._taking.note(session, actor, opened.case, other, Deed.NOTE_GROUND)

        given = {"ground": ground.value, "since": since.isoformat(), "reason": reason}
        return await self._taking.take(actor, sanction_id, Deed.NOTE_GROUND, given, key, apply)

    async def drop_ground(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView:
        """Find that a ground was noted wrongly: a second person stops the clock, and the reason stays on record."""

        async def apply(_session: AsyncSession, opened: Opened) -> None:
            sanction = opened.sanction
            sanction.deletion_ground = ""
            sanction.deletion_ground_on = sanction.deletion_due_on = None

        return await self._taking.take(actor, sanction_id, Deed.DROP_GROUND, {"reason": reason}, key, apply)

    async def delete(self, actor: Actor, sanction_id: UUID, key: UUID) -> SanctionView:
        """Delete it from the public list, or lift the limit; its record stays with the case."""

        async def apply(session: AsyncSession, opened: Opened) -> None:
            opened.sanction.move_to(SanctionState.DELETED)
            opened.sanction.ended_at = self._clock()
            await end_publication(session, opened.sanction, Deed.DELETE.value, self._clock())

        return await self._taking.take(actor, sanction_id, Deed.DELETE, {}, key, apply)

    async def _end(self, actor: Actor, sanction_id: UUID, deed: Deed, reason: str, key: UUID) -> SanctionView:
        async def apply(_session: AsyncSession, opened: Opened) -> None:
            is_refusal = deed is Deed.REFUSE
            opened.sanction.move_to(SanctionState.REFUSED if is_refusal else SanctionState.WITHDRAWN)
            opened.sanction.ended_at = self._clock()

        return await self._taking.take(actor, sanction_id, deed, {"reason": reason}, key, apply)

    def _require_past(self, item: str, day: date, earliest: date | None) -> None:
        if day > self._reading.today():
            raise BadFormat(item, "future")
        if earliest is not None and day < earliest:
            raise BadFormat(item, "order")

    def _set_clock(self, sanction: Sanction, ground: DeletionGround, since: date) -> None:
        sanction.deletion_ground = ground.value
        sanction.deletion_ground_on = since
        sanction.deletion_due_on = self._reading.days.add_working_days(since, DELETION_WORKING_DAYS)

    async def _others_without_ground(self, session: AsyncSession, sanction: Sanction) -> list[Sanction]:
        found = await session.scalars(
            select(Sanction).where(
                Sanction.case_id == sanction.case_id,
                Sanction.person_id == sanction.person_id,
                Sanction.id != sanction.id,
                Sanction.state.in_(STANDING),
                Sanction.deletion_due_on.is_(None),
            )
        )
        return list(found)

    async def _publish(self, session: AsyncSession, actor: Actor, opened: Opened) -> None:
        today = self._reading.today()
        fields = published_fields(opened.sanction, opened.case, opened.person, today)
        text = publication_text(opened.sanction, fields, today)
        await add_publication(session, opened.sanction, fields, text, actor.user_id, self._clock())
