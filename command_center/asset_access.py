"""Where the command center and the asset domain meet: its people as actors, its errors for theirs, its hub told,
its audit and the journals of the operations that enforce a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import errors as asset_errors
from assets.answers import Changed
from assets.audit import Actor, AuditNote
from assets.errors import AssetsError
from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit, Deed
from command_center.errors import CommandCenterError, Conflict, Invalid, NotFound, NotPermitted, Unavailable
from command_center.journal import Journal, JournalKind
from command_center.operations.duties import Duty
from command_center.operations.tables import Operation
from streams.hub.hub import Hub
from streams.hub.topics import AssetsChanged

_ANSWERS: tuple[tuple[type[AssetsError], type[CommandCenterError]], ...] = (
    (asset_errors.NotPermitted, NotPermitted),
    (asset_errors.NotFound, NotFound),
    (asset_errors.NotUnderEnforcement, NotPermitted),
    (asset_errors.BadFormat, Invalid),
    (asset_errors.RulingMissing, Invalid),
    (asset_errors.PaperTampered, Conflict),
    (asset_errors.Conflict, Conflict),
    (asset_errors.GatewayTrouble, Unavailable),
)


class AssetTrail:
    """Writes what is done about a case's assets into the audit, and into the journals of its live operations."""

    def __init__(self, audit: Audit, journal: Journal) -> None:
        self._audit = audit
        self._journal = journal

    async def record(
        self,
        session: AsyncSession,
        *,
        actor: UUID | None,
        court_id: UUID | None,
        action: str,
        subject_type: str,
        subject_id: str,
        case_id: UUID,
        details: Mapping[str, str | int] | None = None,
        contents: Mapping[str, str | int | None] | None = None,
    ) -> None:
        """Add one entry to each, last in the transaction; the journal's holds the `contents` too."""
        live = select(Operation.id).where(Operation.case_id == case_id, Operation.state == "live")
        body = {
            "what": action.removeprefix("asset."),
            subject_type.removeprefix("asset_"): subject_id,
            "case": str(case_id),
            "by": str(actor) if actor else None,
            **(details or {}),
            **(contents or {}),
        }
        for operation_id in await session.scalars(live.order_by(Operation.id)):
            await self._journal.note(session, operation_id, JournalKind.ASSET, body)
        await self._audit.record(
            session,
            actor=actor,
            court_id=court_id,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            details=details,
        )

    async def record_all(self, session: AsyncSession, notes: Sequence[AuditNote]) -> None:
        """Add one entry for each to the audit, and to the journals where an operation enforces its case."""
        cases = {note.case_id for note in notes}
        live = select(Operation.case_id, Operation.id).where(Operation.state == "live", Operation.case_id.is_not(None))
        operations = [row for row in (await session.execute(live.order_by(Operation.id))) if row[0] in cases]
        for case_id, operation_id in operations:
            for note in notes:
                if note.case_id == case_id:
                    await self._journal.note(session, operation_id, JournalKind.ASSET, _body(note))
        deeds = [
            Deed(one.actor, one.court_id, one.action, one.subject_type, one.subject_id, one.details) for one in notes
        ]
        await self._audit.record_all(session, deeds)


def _body(note: AuditNote) -> dict[str, Any]:
    return {
        "what": note.action.removeprefix("asset."),
        note.subject_type.removeprefix("asset_"): note.subject_id,
        "case": str(note.case_id),
        "by": str(note.actor) if note.actor else None,
        **note.details,
        **note.contents,
    }


def actor_of(identity: Identity) -> Actor:
    """A signed-in person as the asset domain knows one."""
    return Actor(
        user_id=identity.user_id,
        court_ids=identity.court_ids,
        may_see=identity.may(Permission.SEE_ASSETS),
        may_query=identity.may(Permission.QUERY_ASSETS),
        may_control=identity.may(Permission.CONTROL_ASSETS),
        may_approve=identity.may(Permission.APPROVE_ASSETS),
        may_propose=identity.may(Permission.PROPOSE_ASSETS),
        may_unmask=identity.may(Permission.UNMASK_ASSETS),
        may_propose_sanction=identity.may(Permission.PROPOSE_SANCTION),
        may_decide_sanction=identity.may(Permission.DECIDE_SANCTION),
        may_manage_cases=identity.may(Permission.MANAGE_CASES),
        own_court_id=identity.court_id,
        may_handle_money=identity.may(Permission.HANDLE_CASE_MONEY),
        may_approve_money=identity.may(Permission.APPROVE_CASE_MONEY),
    )


def officer_of(identity: Identity, duties: Iterable[Duty]) -> Actor:
    """An officer on site: sees and queries in the cases of the operations in which they have a place now, no others.

    Those may be of a court that isn't the officer's own, which has called them to help.
    """
    duties = list(duties)
    may = identity.may(Permission.PROPOSE_ASSETS)
    return replace(
        actor_of(identity),
        court_ids=frozenset(duty.court_id for duty in duties),
        case_ids=frozenset(duty.case_id for duty in duties),
        may_see=may,
        may_query=may,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the asset domain's errors into the command center's, with code and parameters kept."""
    try:
        yield
    except AssetsError as exc:
        for ours, theirs in _ANSWERS:
            if isinstance(exc, ours):
                raise theirs(exc.code, **exc.parameters) from exc
        raise


def told_over(hub: Hub) -> Changed:
    """Have every screen told when something of a case changed; a hub that is away costs only the telling."""

    async def changed(case_id: UUID) -> None:
        await hub.publish(AssetsChanged(case_id=case_id))

    return changed
