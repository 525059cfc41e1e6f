"""What is written together lies together: a purchase writes fewer pages.

Events and entries are kept in the order in which they came, answers and postings by theirs, and the journal's own key
is led by store and receipt, since purchases of a till are neighbours there. Led by the owner, each took another page.

Revision ID: 0013
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD = ("owner_id", "kind", "store_id", "external_id")
PLACE = ("owner_id", "number")
NEW = ("store_id", "external_id", "kind", "owner_id")


def upgrade() -> None:
    """Make the tables anew: SQLite can't alter keys."""
    _journal()
    for name in ("answer", "entry", "posting"):
        op.rename_table(name, f"{name}_before")
    _answers()
    _entries()
    _postings()
    op.execute("INSERT INTO entry SELECT rowid, * FROM entry_before ORDER BY rowid")
    _copy("answer", "event", "number")
    _copy("posting", "entry", "entry_number")
    for name in ("answer", "entry", "posting"):
        op.drop_table(f"{name}_before")


def _copy(table: str, lead: str, number: str) -> None:
    """Fill a table with what it had, each row under the id of what it belongs to."""
    op.execute(
        f"INSERT INTO {table} SELECT {lead}.id, before.* FROM {table}_before before"  # noqa: S608  our own names
        f" JOIN {lead} ON {lead}.owner_id = before.owner_id AND {lead}.number = before.{number} ORDER BY 1"
    )


def _journal() -> None:
    """Make the table of events as it is but for its keys, whatever it has learnt since."""
    about = sa.text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'event' AND sql IS NOT NULL")
    parts = op.get_bind().execute(about).all()
    table = next(sql for kind, _, sql in parts if kind == "table")
    indexes = {name: sql for kind, name, sql in parts if kind == "index"}
    for name in indexes:
        op.drop_index(name, table_name="event")
    op.rename_table("event", "event_before")
    table = table.replace(_key(OLD), f"{_key(PLACE)},\n\t{_key(NEW)}")
    table = table.replace("PRIMARY KEY (owner_id, number)", "PRIMARY KEY (id)")
    op.execute(table.replace("(", "(\n\tid INTEGER NOT NULL, \n\t", 1))
    op.execute("INSERT INTO event SELECT rowid, * FROM event_before ORDER BY rowid")
    op.drop_table("event_before")
    for sql in indexes.values():
        op.execute(sql)


def _key(columns: tuple[str, ...]) -> str:
    return f"CONSTRAINT uq_event_{'_'.join(columns)} UNIQUE ({', '.join(columns)})"


def _answers() -> None:
    op.create_table(
        "answer",
        sa.Column("event_id", WHOLE, autoincrement=False, nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("owner_id", "number", "status")),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_answer")),
        sqlite_strict=True,
    )


def _entries() -> None:
    op.create_table(
        "entry",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("owner_id", "number", "event_number")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "policy_version", "engine_version")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("occurred_at", "recorded_at")),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("awards", "prev_hash", "hash")),
        sa.CheckConstraint("number > 0", name=op.f("ck_entry_number_is_positive")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_entry_hash_is_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("owner_id", "number", name=op.f("uq_entry_owner_id_number")),
        sqlite_strict=True,
    )


def _postings() -> None:
    op.create_table(
        "posting",
        *(sa.Column(name, WHOLE, nullable=False) for name in ("entry_id", "owner_id", "entry_number", "leg")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("account", "unit")),
        sa.Column("amount", WHOLE, nullable=False),
        *(sa.Column(name, WHOLE, nullable=True) for name in ("lot_day", "available_at", "expires_at")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_amount_is_not_zero")),
        sa.PrimaryKeyConstraint("entry_id", "leg", name=op.f("pk_posting")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
