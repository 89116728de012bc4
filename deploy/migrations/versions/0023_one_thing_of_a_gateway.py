"""Two gateways may number what they keep alike: an asset of a case is known by its gateway too"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BY_COLUMN = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
"""SQLite has no name for the constraint that goes: alembic finds it by this."""


def upgrade() -> None:
    with op.batch_alter_table("assets", schema=None, naming_convention=BY_COLUMN) as batch_op:
        batch_op.drop_constraint(_unique_reference(), type_="unique")
        batch_op.create_unique_constraint("uq_assets_one_of_a_gateway", ["case_id", "kind", "reference", "gateway"])


def _unique_reference() -> str:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    return "uq_assets_case_id" if is_sqlite else "assets_case_id_kind_reference_key"


def downgrade() -> None:
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_constraint("uq_assets_one_of_a_gateway", type_="unique")
    with op.batch_alter_table("assets", schema=None, naming_convention=BY_COLUMN) as batch_op:
        batch_op.create_unique_constraint(_unique_reference(), ["case_id", "kind", "reference"])
