"""Lines of measures: one in force, one writer at a time, followers, contradictions, what goes before"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

EFFECTIVE = "state IN ('in_force', 'pre_registered')"
BY_COLUMN = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
"""SQLite has no name for the constraint that goes: alembic finds it by this."""


def upgrade() -> None:
    op.create_table(
        "control_lines",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("asset_requests", schema=None) as batch_op:
        batch_op.alter_column(
            "action", existing_type=sa.VARCHAR(length=16), type_=sa.String(length=24), existing_nullable=False
        )
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("prior_cents", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("control_measures", schema=None, naming_convention=BY_COLUMN) as batch_op:
        batch_op.add_column(sa.Column("contradiction", sa.String(length=32), nullable=False, server_default=""))
        batch_op.drop_constraint(_unique_request(), type_="unique")
        batch_op.create_unique_constraint("uq_control_measures_request_asset", ["request_id", "asset_id"])
    _leave_one_in_force()
    _count_what_goes_before()
    with op.batch_alter_table("control_measures", schema=None) as batch_op:
        batch_op.create_index(
            "uq_control_measures_one_effective",
            ["line"],
            unique=True,
            sqlite_where=sa.text(EFFECTIVE),
            postgresql_where=sa.text(EFFECTIVE),
        )


def _unique_request() -> str:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    return "uq_control_measures_request_id" if is_sqlite else "control_measures_request_id_key"


def _leave_one_in_force() -> None:
    """Of measures that are in force on one thing the first stays; the others wait for somebody to look into them."""
    op.execute(
        "UPDATE control_measures SET state = 'waiting', rank = 1, controlled_cents = 0, starts_on = NULL,"
        " ends_on = NULL, contradiction = 'in_force_twice'"
        " WHERE state IN ('in_force', 'pre_registered') AND EXISTS (SELECT 1 FROM"
        " control_measures AS earlier WHERE earlier.line = control_measures.line AND earlier.id < control_measures.id"
        " AND earlier.state IN ('in_force', 'pre_registered'))"
    )


def _count_what_goes_before() -> None:
    connection = op.get_bind()
    assets = sa.table("assets", sa.column("id", sa.Uuid()), sa.column("encumbrances", sa.JSON()))
    for asset_id, encumbrances in connection.execute(sa.select(assets.c.id, assets.c.encumbrances)).all():
        known = json.loads(encumbrances) if isinstance(encumbrances, str) else encumbrances
        if prior := sum(one.get("amount_cents") or 0 for one in known or []):
            connection.execute(
                sa.text("UPDATE assets SET prior_cents = :prior WHERE id = :id").bindparams(
                    sa.bindparam("id", type_=sa.Uuid())
                ),
                {"prior": prior, "id": asset_id},
            )


def downgrade() -> None:
    with op.batch_alter_table("control_measures", schema=None) as batch_op:
        batch_op.drop_index("uq_control_measures_one_effective")
        batch_op.drop_constraint("uq_control_measures_request_asset", type_="unique")
        batch_op.drop_column("contradiction")
    with op.batch_alter_table("control_measures", schema=None, naming_convention=BY_COLUMN) as batch_op:
        batch_op.create_unique_constraint(_unique_request(), ["request_id"])
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_column("prior_cents")
    with op.batch_alter_table("asset_requests", schema=None) as batch_op:
        batch_op.alter_column(
            "action", existing_type=sa.String(length=24), type_=sa.VARCHAR(length=16), existing_nullable=False
        )
    op.drop_table("control_lines")
