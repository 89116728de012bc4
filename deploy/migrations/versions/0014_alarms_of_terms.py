"""Alarms of terms"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("term_alarms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("closed_why", sa.String(length=16), nullable=False, server_default=""))
        batch_op.drop_index("ix_term_alarms_court_open")
        batch_op.create_index(
            "ix_term_alarms_court_open", ["court_id", "closed_at", "acknowledged_at", "ends_on"], unique=False
        )
        batch_op.create_index("ix_term_alarms_open", ["closed_at", "days_before"], unique=False)

    # No version before this one raised any.
    op.execute("UPDATE term_alarms SET due_on = ends_on")
    with op.batch_alter_table("term_alarms", schema=None) as batch_op:
        batch_op.alter_column("due_on", existing_type=sa.Date(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("term_alarms", schema=None) as batch_op:
        batch_op.drop_index("ix_term_alarms_open")
        batch_op.drop_index("ix_term_alarms_court_open")
        batch_op.create_index("ix_term_alarms_court_open", ["court_id", "acknowledged_at"], unique=False)
        batch_op.drop_column("closed_why")
        batch_op.drop_column("closed_at")
        batch_op.drop_column("due_on")
