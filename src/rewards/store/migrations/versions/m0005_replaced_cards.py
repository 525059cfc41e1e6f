"""Cards that were lost and replaced.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead from a replaced card to its member."""
    op.create_table(
        "replaced_card",
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("value", name=op.f("pk_replaced_card")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_replaced_card_owner_id", "replaced_card", ["owner_id"], unique=False)
