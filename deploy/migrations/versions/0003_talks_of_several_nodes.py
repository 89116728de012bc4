"""Talks that several nodes carry"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "talk_words",
        sa.Column("talk_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"]),
        sa.PrimaryKeyConstraint("talk_id", "node"),
    )
    with op.batch_alter_table("recordings") as batch_op:
        batch_op.add_column(sa.Column("talk_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("covered_by", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_recordings_talk_id"), ["talk_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")
