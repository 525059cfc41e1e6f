"""Gift cards: their events, and which of them a member has.

Revision ID: 0003
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('enrolment', 'change', 'purchase', 'return', 'adjustment', 'card')"
INDEX = "ix_event_owner_id_of_number"


def upgrade() -> None:
    """Take events of cards: SQLite changes a CHECK only by a new table."""
    op.create_table(
        "held_card",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("card_id", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "card_id", name=op.f("pk_held_card")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.drop_index(INDEX, table_name="event")
    op.rename_table("event", "event_before")
    _create_event()
    op.execute("INSERT INTO event SELECT * FROM event_before")
    op.drop_table("event_before")


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("of_number", WHOLE, nullable=True),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("till_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_event_number_is_positive")),
        sa.CheckConstraint(KINDS, name=op.f("ck_event_kind_is_known")),
        sa.CheckConstraint("length(fingerprint) = 32", name=op.f("ck_event_fingerprint_is_whole")),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "owner_id", "kind", "store_id", "external_id", name=op.f("uq_event_owner_id_kind_store_id_external_id")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        INDEX,
        "event",
        ["owner_id", "of_number"],
        unique=False,
        sqlite_where=sa.text("of_number IS NOT NULL"),
        postgresql_where=sa.text("of_number IS NOT NULL"),
    )
