"""Entries are found through their events, and an index by owner is written no more; quicker CHECKs of kinds.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD_KINDS = "kind IN ('enrolment', 'change', 'purchase', "
NEW_KINDS = "kind = 'purchase' OR kind IN ('enrolment', 'change', 'purchase', "
OLD_ROUTES = "kind IN ('purchase', 'return', 'hold')"
NEW_ROUTES = "kind = 'purchase' OR kind = 'return' OR kind = 'hold'"


def upgrade() -> None:
    """Make the tables anew: SQLite can't alter keys or CHECKs."""
    _anew("event", OLD_KINDS, NEW_KINDS)
    _anew("receipt_route", OLD_ROUTES, NEW_ROUTES)
    op.rename_table("entry", "entry_before")
    _entries()
    op.execute(
        "INSERT INTO entry SELECT before.id, event.id, before.owner_id, before.number, event_number, before.kind,"
        " policy_version, engine_version, before.occurred_at, before.recorded_at, awards, prev_hash, hash"
        " FROM entry_before before"
        " LEFT JOIN event ON event.owner_id = before.owner_id AND event.number = event_number ORDER BY before.id"
    )
    op.drop_table("entry_before")


def _anew(name: str, old: str, new: str) -> None:
    """Make a table as it is but for a CHECK."""
    about = sa.text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL")
    parts = op.get_bind().execute(about, {"name": name}).all()
    table = next(sql for kind, _, sql in parts if kind == "table")
    indexes = {index: sql for kind, index, sql in parts if kind == "index"}
    for index in indexes:
        op.drop_index(index, table_name=name)
    op.rename_table(name, f"{name}_before")
    op.execute(table.replace(old, new))
    op.execute(f"INSERT INTO {name} SELECT * FROM {name}_before ORDER BY rowid")  # noqa: S608  our own names
    op.drop_table(f"{name}_before")
    for sql in indexes.values():
        op.execute(sql)


def _entries() -> None:
    op.create_table(
        "entry",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("event_id", "owner_id", "number", "event_number")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "policy_version", "engine_version")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("occurred_at", "recorded_at")),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("awards", "prev_hash", "hash")),
        sa.CheckConstraint("number > 0", name=op.f("ck_entry_number_is_positive")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_entry_hash_is_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("event_id", "number", name=op.f("uq_entry_event_id_number")),
        sqlite_strict=True,
    )
