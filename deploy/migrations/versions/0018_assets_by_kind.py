"""Assets by kind"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_assets_kind", "assets", ["kind"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_assets_kind", table_name="assets")
