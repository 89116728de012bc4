"""One deletion of a recording at a time"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None

UNDER_WAY = "state IN ('due', 'proposed', 'approved', 'deleting')"
AUDIT_LOCK = 0x636F6D6D616E64
DELETIONS = sa.table(
    "deletions",
    sa.column("id", sa.Uuid()),
    sa.column("recording_id", sa.Uuid()),
    sa.column("operation_id", sa.Uuid()),
    sa.column("state", sa.String()),
    sa.column("ended_at", sa.DateTime(timezone=True)),
    sa.column("end_reason", sa.String()),
)
OPERATIONS = sa.table("operations", sa.column("id", sa.Uuid()), sa.column("court_id", sa.Uuid()))
AUDIT = sa.table(
    "audit",
    sa.column("sequence", sa.Integer()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("actor_id", sa.Uuid()),
    sa.column("court_id", sa.Uuid()),
    sa.column("action", sa.String()),
    sa.column("subject_type", sa.String()),
    sa.column("subject_id", sa.String()),
    sa.column("details", sa.Text()),
    sa.column("previous_hash", sa.LargeBinary()),
    sa.column("hash", sa.LargeBinary()),
)
FURTHEST = ("deleting", "approved", "proposed", "due")


def upgrade() -> None:
    _leave_one_of_each()
    with op.batch_alter_table("deletions") as batch_op:
        batch_op.create_index(
            "ix_deletions_under_way",
            ["recording_id"],
            unique=True,
            sqlite_where=sa.text(UNDER_WAY),
            postgresql_where=sa.text(UNDER_WAY),
        )


def _leave_one_of_each() -> None:
    """Two may have been begun at once: the one that is furthest goes on, the others come to nothing.

    So does what is open of a recording that is deleted already. What somebody had proposed is told in the audit.
    """
    connection = op.get_bind()
    seen = set(connection.scalars(sa.select(DELETIONS.c.recording_id).where(DELETIONS.c.state == "done")))
    done = frozenset(seen)
    place = sa.case({state: number for number, state in enumerate(FURTHEST)}, value=DELETIONS.c.state)
    query = (
        sa.select(DELETIONS.c.id, DELETIONS.c.recording_id, DELETIONS.c.operation_id, DELETIONS.c.state)
        .where(DELETIONS.c.state.in_(FURTHEST))
        .order_by(place, DELETIONS.c.id)
    )
    for deletion in connection.execute(query).all():
        # What is being deleted is finished by whoever does it, and nothing else of it is open then.
        is_next = deletion.recording_id in done and deletion.state == "deleting"
        if deletion.recording_id not in seen or is_next:
            seen.add(deletion.recording_id)
            continue
        own = DELETIONS.c.id == deletion.id
        if deletion.state == "due":
            connection.execute(sa.delete(DELETIONS).where(own))
            continue
        code = "recording-deleted" if deletion.recording_id in done else "deletion-proposed"
        at = datetime.now(UTC)
        connection.execute(sa.update(DELETIONS).where(own).values(state="refused", ended_at=at, end_reason=code))
        _tell(connection, deletion, code, at)


def _tell(connection: sa.Connection, deletion: sa.Row[Any], code: str, at: datetime) -> None:
    """Append to the audit's chain, in the form that it had when this was written."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})
    newest = sa.select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence.desc()).limit(1)
    last = connection.execute(newest).first()
    sequence, previous = (1, bytes(32)) if last is None else (last.sequence + 1, last.hash)
    court = connection.scalar(sa.select(OPERATIONS.c.court_id).where(OPERATIONS.c.id == deletion.operation_id))
    told = {"operation": str(deletion.operation_id), "deletion": str(deletion.id), "code": code}
    action, subject_type, subject, details = (
        "deletion.stopped",
        "recording",
        str(deletion.recording_id),
        _canonical(told),
    )
    court_id = None if court is None else str(court)
    fields = [1, sequence, at.isoformat(), None, court_id, action, subject_type, subject, details, previous.hex()]
    connection.execute(
        sa.insert(AUDIT).values(
            sequence=sequence,
            at=at,
            actor_id=None,
            court_id=court,
            action=action,
            subject_type=subject_type,
            subject_id=subject,
            details=details,
            previous_hash=previous,
            hash=hashlib.sha256(_canonical(fields).encode()).digest(),
        )
    )


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")
