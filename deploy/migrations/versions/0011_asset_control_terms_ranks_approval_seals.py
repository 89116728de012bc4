"""Asset control: terms, ranks, approval, seals"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("creditor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("principal_cents", sa.BigInteger(), nullable=False),
        sa.Column("is_priority", sa.Boolean(), nullable=False),
        sa.Column("interest_from", sa.Date(), nullable=True),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["creditor_id"],
            ["case_persons.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("case_claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_claims_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_claims_creditor_id"), ["creditor_id"], unique=False)

    op.create_table(
        "asset_objections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["asset_requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("asset_objections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_objections_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_objections_request_id"), ["request_id"], unique=False)

    op.create_table(
        "control_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("idempotency_key", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=500), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["asset_requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    with op.batch_alter_table("control_proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_control_proposals_case_id"), ["case_id"], unique=False)

    op.create_table(
        "sealed_papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=200), nullable=False),
        sa.Column("seal_key_id", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_by", sa.Uuid(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["asset_requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "document"),
    )
    with op.batch_alter_table("sealed_papers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sealed_papers_request_id"), ["request_id"], unique=False)

    op.create_table(
        "measure_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["measure_id"],
            ["control_measures.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("measure_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_measure_events_measure_id"), ["measure_id"], unique=False)

    op.create_table(
        "term_alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["measure_id"],
            ["control_measures.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("measure_id", "ends_on", "days_before"),
    )
    with op.batch_alter_table("term_alarms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_term_alarms_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_term_alarms_court_open", ["court_id", "acknowledged_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_term_alarms_measure_id"), ["measure_id"], unique=False)

    with op.batch_alter_table("asset_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("measure_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("payee", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("approval", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("override_reason", sa.String(length=500), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("decided_by", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("decision_reason", sa.String(length=500), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("chased_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("chases", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("checked_by", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("claimed_by", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_asset_requests_case_query", ["case_id", "action", "person_id", "gateway"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_asset_requests_measure_id"), ["measure_id"], unique=False)

    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("special", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("exempt", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_only_home", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("valuation_cents", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("valuation_source", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_indivisible", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index("ix_assets_line", ["gateway", "kind", "reference"], unique=False)

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judge_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("control_measures", schema=None) as batch_op:
        batch_op.add_column(sa.Column("court_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("line", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("released_cents", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("transferred_cents", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("term_years", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("renewals", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("follows_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("keeping", sa.String(length=16), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("keeper", sa.String(length=200), nullable=False, server_default=""))
        batch_op.alter_column(
            "action", existing_type=sa.VARCHAR(length=16), type_=sa.String(length=24), existing_nullable=False
        )
        batch_op.drop_index(batch_op.f("ix_control_measures_case_id"))
        batch_op.create_index("ix_control_measures_case_state", ["case_id", "state"], unique=False)
        batch_op.create_index("ix_control_measures_court_state_ends", ["court_id", "state", "ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_control_measures_follows_id"), ["follows_id"], unique=False)
        batch_op.create_index("ix_control_measures_line_state", ["line", "state"], unique=False)
        batch_op.create_index("ix_control_measures_state_ends", ["state", "ends_on"], unique=False)

    op.execute("UPDATE control_measures SET court_id = (SELECT court_id FROM cases WHERE cases.id = case_id)")
    op.execute(
        "UPDATE control_measures SET line = "
        "(SELECT gateway || '/' || kind || '/' || reference FROM assets WHERE assets.id = asset_id)"
    )
    op.execute(
        "UPDATE asset_requests SET measure_id = "
        "(SELECT control_measures.id FROM control_measures WHERE request_id = asset_requests.id)"
    )
    with op.batch_alter_table("control_measures", schema=None) as batch_op:
        batch_op.alter_column("court_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("line", existing_type=sa.String(length=160), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("control_measures", schema=None) as batch_op:
        batch_op.drop_index("ix_control_measures_state_ends")
        batch_op.drop_index("ix_control_measures_line_state")
        batch_op.drop_index(batch_op.f("ix_control_measures_follows_id"))
        batch_op.drop_index("ix_control_measures_court_state_ends")
        batch_op.drop_index("ix_control_measures_case_state")
        batch_op.create_index(batch_op.f("ix_control_measures_case_id"), ["case_id"], unique=False)
        batch_op.alter_column(
            "action", existing_type=sa.String(length=24), type_=sa.VARCHAR(length=16), existing_nullable=False
        )
        batch_op.drop_column("keeper")
        batch_op.drop_column("keeping")
        batch_op.drop_column("follows_id")
        batch_op.drop_column("ended_at")
        batch_op.drop_column("confirmed_at")
        batch_op.drop_column("promoted_at")
        batch_op.drop_column("renewals")
        batch_op.drop_column("term_years")
        batch_op.drop_column("transferred_cents")
        batch_op.drop_column("released_cents")
        batch_op.drop_column("line")
        batch_op.drop_column("court_id")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("judge_id")

    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_index("ix_assets_line")
        batch_op.drop_column("is_indivisible")
        batch_op.drop_column("valuation_source")
        batch_op.drop_column("valuation_cents")
        batch_op.drop_column("is_only_home")
        batch_op.drop_column("exempt")
        batch_op.drop_column("special")

    with op.batch_alter_table("asset_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_requests_measure_id"))
        batch_op.drop_index("ix_asset_requests_case_query")
        batch_op.drop_column("claimed_until")
        batch_op.drop_column("claimed_by")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("checked_by")
        batch_op.drop_column("chases")
        batch_op.drop_column("chased_at")
        batch_op.drop_column("accepted_at")
        batch_op.drop_column("sealed_at")
        batch_op.drop_column("decision_reason")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("decided_by")
        batch_op.drop_column("override_reason")
        batch_op.drop_column("approval")
        batch_op.drop_column("payee")
        batch_op.drop_column("measure_id")

    with op.batch_alter_table("term_alarms", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_term_alarms_measure_id"))
        batch_op.drop_index("ix_term_alarms_court_open")
        batch_op.drop_index(batch_op.f("ix_term_alarms_case_id"))

    op.drop_table("term_alarms")
    with op.batch_alter_table("measure_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_measure_events_measure_id"))

    op.drop_table("measure_events")
    with op.batch_alter_table("sealed_papers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sealed_papers_request_id"))

    op.drop_table("sealed_papers")
    with op.batch_alter_table("control_proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_control_proposals_case_id"))

    op.drop_table("control_proposals")
    with op.batch_alter_table("asset_objections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_objections_request_id"))
        batch_op.drop_index(batch_op.f("ix_asset_objections_due_on"))

    op.drop_table("asset_objections")
    with op.batch_alter_table("case_claims", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_claims_creditor_id"))
        batch_op.drop_index(batch_op.f("ix_case_claims_case_id"))

    op.drop_table("case_claims")
