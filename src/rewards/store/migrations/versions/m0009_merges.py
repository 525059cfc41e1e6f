"""Merges are events too; what staff gave and took alone is counted.

Revision ID: 0009
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = (
    "kind IN ('enrolment', 'change', 'purchase', 'return', 'adjustment', 'card', 'activity', 'hold', 'redemption', "
    "'cancellation', 'merge')"
)
INDEX = "ix_event_owner_id_of_number"


def upgrade() -> None:
    """Make the table of events anew: SQLite can't alter a CHECK."""
    op.drop_index(INDEX, table_name="event")
    op.rename_table("event", "event_before")
    op.create_table(
        "event",
        *(sa.Column(name, WHOLE, nullable=False) for name in ("owner_id", "number")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "external_id")),
        sa.Column("of_number", WHOLE, nullable=True),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("occurred_at", "recorded_at")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("store_id", "till_id", "operator_id")),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("fingerprint", "body")),
        sa.CheckConstraint(KINDS, name=op.f("ck_event_kind_is_known")),
        sa.CheckConstraint("length(fingerprint) = 32", name=op.f("ck_event_fingerprint_is_whole")),
        sa.CheckConstraint("number > 0", name=op.f("ck_event_number_is_positive")),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "owner_id", "kind", "store_id", "external_id", name=op.f("uq_event_owner_id_kind_store_id_external_id")
        ),
        sqlite_strict=True,
    )
    some = sa.text("of_number IS NOT NULL")
    op.create_index(INDEX, "event", ["owner_id", "of_number"], sqlite_where=some, postgresql_where=some)
    op.execute("INSERT INTO event SELECT * FROM event_before")
    op.drop_table("event_before")
    op.create_table(
        "staff_day",
        *(sa.Column(name, WHOLE, nullable=False) for name in ("owner_id", "day")),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_staff_day_amount_is_positive")),
        sa.PrimaryKeyConstraint("owner_id", "day", "unit", name=op.f("pk_staff_day")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
