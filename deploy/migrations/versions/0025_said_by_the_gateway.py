"""What a gateway said of an account is kept apart from what a judge marked

Who said what was kept before isn't known: it counts as the gateway's, so that one person alone lifts none of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("said_special", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("said_special_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("lifting_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE assets SET said_special = special, special = '' WHERE special <> ''")


def downgrade() -> None:
    op.execute("UPDATE assets SET special = said_special WHERE said_special <> ''")
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_column("lifting_id")
        batch_op.drop_column("said_special_at")
        batch_op.drop_column("said_special")
