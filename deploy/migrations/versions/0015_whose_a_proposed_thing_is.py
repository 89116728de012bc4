"""Whose a proposed thing is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("control_proposals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key("fk_control_proposals_person_id", "case_persons", ["person_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("control_proposals", schema=None) as batch_op:
        batch_op.drop_constraint("fk_control_proposals_person_id", type_="foreignkey")
        batch_op.drop_column("person_id")
