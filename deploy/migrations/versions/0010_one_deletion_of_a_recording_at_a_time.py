"""One deletion of a recording at a time"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None

UNDER_WAY = "state IN ('due', 'proposed', 'approved', 'deleting')"
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
    """Two may have been begun at once: the one that is furthest goes on, the others come to nothing."""
    deletions = sa.table(
        "deletions",
        sa.column("id", sa.Uuid()),
        sa.column("recording_id", sa.Uuid()),
        sa.column("state", sa.String()),
        sa.column("ended_at", sa.DateTime(timezone=True)),
        sa.column("end_reason", sa.String()),
    )
    connection, seen = op.get_bind(), set()
    place = sa.case({state: number for number, state in enumerate(FURTHEST)}, value=deletions.c.state)
    query = sa.select(deletions.c.id, deletions.c.recording_id, deletions.c.state).where(
        deletions.c.state.in_(FURTHEST)
    )
    for deletion, recording, state in connection.execute(query.order_by(place, deletions.c.id)).all():
        if recording not in seen:
            seen.add(recording)
            continue
        own = deletions.c.id == deletion
        if state == "due":
            connection.execute(sa.delete(deletions).where(own))
        else:
            ended = {"state": "refused", "ended_at": sa.func.current_timestamp(), "end_reason": "deletion-proposed"}
            connection.execute(sa.update(deletions).where(own).values(ended))


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")
