"""Wrong guesses at codes and PINs, of callers and about cards.

Revision ID: 0011
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Count wrong guesses where a restart does not forget them."""
    op.create_table(
        "guess",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("wrong", WHOLE, nullable=False),
        sa.Column("free_at", WHOLE, nullable=False),
        sa.CheckConstraint("wrong > 0", name=op.f("ck_guess_wrong_is_counted")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_guess")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guess_free_at", "guess", ["free_at"], unique=False)
