"""Alarms that nobody has answered, in the order of their last days"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UNANSWERED = sa.text("closed_at IS NULL AND acknowledged_at IS NULL")
ORDER = ["ends_on", "measure_id"]


def upgrade() -> None:
    for name, columns in (
        ("ix_term_alarms_unanswered", ORDER),
        ("ix_term_alarms_court_unanswered", ["court_id", *ORDER]),
    ):
        op.create_index(name, "term_alarms", columns, sqlite_where=UNANSWERED, postgresql_where=UNANSWERED)
    op.drop_index("ix_term_alarms_court_open", table_name="term_alarms")


def downgrade() -> None:
    op.create_index("ix_term_alarms_court_open", "term_alarms", ["court_id", "closed_at", "acknowledged_at", "ends_on"])
    op.drop_index("ix_term_alarms_court_unanswered", table_name="term_alarms")
    op.drop_index("ix_term_alarms_unanswered", table_name="term_alarms")
