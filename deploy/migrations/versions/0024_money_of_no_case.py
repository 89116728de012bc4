"""Proposals and payments of money that is for no case, and what the bank's statement shows that wasn't ordered so"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("money_proposals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("main_id", sa.Uuid(), nullable=True))
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=True)
    op.execute(
        "UPDATE money_proposals SET main_id ="
        " (SELECT main_id FROM case_sub_accounts WHERE case_sub_accounts.case_id = money_proposals.case_id)"
    )
    with op.batch_alter_table("money_proposals", schema=None) as batch_op:
        batch_op.alter_column("main_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.create_foreign_key("fk_money_proposals_main_id", "main_accounts", ["main_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_money_proposals_main_id"), ["main_id"], unique=False)
    with op.batch_alter_table("money_payments", schema=None) as batch_op:
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=True)
    op.create_table(
        "money_discrepancies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("main_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("bank_serial", sa.String(length=64), nullable=False),
        sa.Column("order_number", sa.String(length=32), nullable=False),
        sa.Column("bank_cents", sa.BigInteger(), nullable=False),
        sa.Column("ordered_cents", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["main_id"], ["main_accounts.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["money_payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("main_id", "bank_serial"),
    )


def downgrade() -> None:
    op.drop_table("money_discrepancies")
    with op.batch_alter_table("money_payments", schema=None) as batch_op:
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=False)
    with op.batch_alter_table("money_proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_money_proposals_main_id"))
        batch_op.drop_constraint("fk_money_proposals_main_id", type_="foreignkey")
        batch_op.drop_column("main_id")
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=False)
