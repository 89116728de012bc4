"""The centre's voice among the recordings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("media_tokens") as batch_op:
        batch_op.create_index(batch_op.f("ix_media_tokens_feed"), ["feed"], unique=False)
    with op.batch_alter_table("recordings") as batch_op:
        batch_op.add_column(sa.Column("speaker_id", sa.Uuid(), nullable=True))
        batch_op.alter_column("feed_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("site_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.create_foreign_key("recordings_speaker_id_fkey", "users", ["speaker_id"], ["id"])


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")
