"""Which operations a person may see or work in: its courts' for the centre, its own place for an officer."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.errors import Invalid, NotFound, NotPermitted
from command_center.operations.tables import Assignment, Operation, Site


def visible_operations(identity: Identity) -> ColumnElement[bool]:
    """The condition on `Operation` that holds for what this person may know of."""
    if identity.may(Permission.SEE_OPERATIONS):
        return Operation.court_id.in_(identity.court_ids)
    if identity.may(Permission.PUBLISH):
        own = select(Assignment.operation_id).where(
            Assignment.user_id == identity.user_id, Assignment.removed_at.is_(None)
        )
        return Operation.id.in_(own)
    return false()


async def visible_operation(session: AsyncSession, identity: Identity, operation_id: UUID) -> Operation:
    """The operation, where this person may see it.

    Raises:
        NotFound: there is none, or none that this person may know of.
    """
    found = await session.scalar(select(Operation).where(Operation.id == operation_id, visible_operations(identity)))
    if found is None:
        raise NotFound("operation-not-found")
    return found


async def commanded_operation(session: AsyncSession, identity: Identity, operation_id: UUID) -> Operation:
    """The operation, locked, where this person may command it.

    Raises:
        NotPermitted: the role doesn't command.
        NotFound: there is none in this person's courts.
    """
    must(identity, Permission.SEND_INSTRUCTIONS)
    found = await session.scalar(
        select(Operation)
        .where(Operation.id == operation_id, Operation.court_id.in_(identity.court_ids))
        # Its key stays: whoever registers a feed of it, holding a place that is wanted next, must not wait for us.
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound("operation-not-found")
    return found


def must(identity: Identity, permission: Permission) -> None:
    """Refuse whoever's role doesn't carry the permission.

    Raises:
        NotPermitted: it doesn't.
    """
    if not identity.may(permission):
        raise NotPermitted("not-permitted", permission=permission.value)


async def check_site(session: AsyncSession, operation_id: UUID, site_id: UUID) -> Site:
    """The site, where it is one of this operation.

    Raises:
        Invalid: it isn't.
    """
    site = await session.get(Site, site_id)
    if site is None or site.operation_id != operation_id:
        raise Invalid("site-unknown")
    return site
