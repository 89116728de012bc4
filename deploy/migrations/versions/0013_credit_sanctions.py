"""Credit sanctions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


LIVE = sa.text("state IN ('corrected', 'decided', 'proposed', 'published', 'served', 'shielded', 'under_review')")


def upgrade() -> None:
    op.create_table(
        "sanctions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ground", sa.String(length=24), nullable=False),
        sa.Column("facts", sa.String(length=1000), nullable=False),
        sa.Column("basis_document", sa.String(length=100), nullable=False),
        sa.Column("duty", sa.String(length=1000), nullable=False),
        sa.Column("performance", sa.String(length=16), nullable=False),
        sa.Column("security", sa.String(length=16), nullable=False),
        sa.Column("security_note", sa.String(length=500), nullable=False),
        sa.Column("extra_years", sa.Integer(), nullable=False),
        sa.Column("extra_reason", sa.String(length=500), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision_number", sa.String(length=64), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("served_on", sa.Date(), nullable=True),
        sa.Column("service_manner", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("deletion_ground", sa.String(length=24), nullable=False),
        sa.Column("deletion_ground_on", sa.Date(), nullable=True),
        sa.Column("deletion_due_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["case_persons.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sanctions_case_id", "sanctions", ["case_id"], unique=False)
    op.create_index(
        "ix_sanctions_live",
        "sanctions",
        ["case_id", "person_id", "kind"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index("ix_sanctions_person_id", "sanctions", ["person_id"], unique=False)
    op.create_index("ix_sanctions_state_ends", "sanctions", ["state", "ends_on"], unique=False)

    op.create_table(
        "sanction_publications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sanction_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["sanction_id"],
            ["sanctions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sanction_id", "number"),
    )
    op.create_index("ix_sanction_publications_sanction_id", "sanction_publications", ["sanction_id"], unique=False)

    op.create_table(
        "sanction_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sanction_id", sa.Uuid(), nullable=False),
        sa.Column("deed", sa.String(length=24), nullable=False),
        sa.Column("old", sa.String(length=16), nullable=False),
        sa.Column("new", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sanction_id"],
            ["sanctions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key", "sanction_id"),
    )
    op.create_index("ix_sanction_steps_sanction_id", "sanction_steps", ["sanction_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")
