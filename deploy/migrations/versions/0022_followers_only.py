"""An index of what follows another measure only: most follow none, and SQLite took one of all for useless"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FOLLOWS = sa.text("follows_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_control_measures_follows_id", table_name="control_measures")
    op.create_index(
        "ix_control_measures_followers",
        "control_measures",
        ["follows_id"],
        sqlite_where=FOLLOWS,
        postgresql_where=FOLLOWS,
    )


def downgrade() -> None:
    op.drop_index("ix_control_measures_followers", table_name="control_measures")
    op.create_index("ix_control_measures_follows_id", "control_measures", ["follows_id"])
