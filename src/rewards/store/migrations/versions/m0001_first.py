"""The first schema: timelines, their states, routes, answers, versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "answer",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("status", WHOLE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_answer")),
        sqlite_strict=True,
    )
    op.create_table(
        "api_key",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("stores", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("revoked_at", WHOLE, nullable=True),
        sa.CheckConstraint("length(key_hash) = 32", name=op.f("ck_api_key_hash_is_sha256")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_api_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "code_route",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.CheckConstraint("length(code_hash) = 32", name=op.f("ck_code_route_hash_is_sha256")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_code_route")),
        sqlite_strict=True,
    )
    op.create_table(
        "contact_route",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('card', 'phone', 'email', 'external_id')", name=op.f("ck_contact_route_kind_is_known")
        ),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_contact_route")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_route_owner_id", "contact_route", ["owner_id"], unique=False)
    op.create_table(
        "day_state",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("day", WHOLE, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "day", name=op.f("pk_day_state")),
        sqlite_strict=True,
    )
    op.create_table(
        "entry",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("event_number", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.Column("awards", sa.LargeBinary(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_entry_hash_is_sha256")),
        sa.CheckConstraint("number > 0", name=op.f("ck_entry_number_is_positive")),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_entry")),
        sqlite_strict=True,
    )
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
        sa.CheckConstraint(
            "kind IN ('enrolment', 'change', 'purchase', 'return', 'adjustment')", name=op.f("ck_event_kind_is_known")
        ),
        sa.CheckConstraint("length(fingerprint) = 32", name=op.f("ck_event_fingerprint_is_whole")),
        sa.CheckConstraint("number > 0", name=op.f("ck_event_number_is_positive")),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "owner_id", "kind", "store_id", "external_id", name=op.f("uq_event_owner_id_kind_store_id_external_id")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_event_owner_id_of_number",
        "event",
        ["owner_id", "of_number"],
        unique=False,
        sqlite_where=sa.text("of_number IS NOT NULL"),
        postgresql_where=sa.text("of_number IS NOT NULL"),
    )
    op.create_table(
        "key_route",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=True),
        sa.Column("number", WHOLE, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.Column("answered", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(owner_id IS NULL) <> (answered IS NULL)", name=op.f("ck_key_route_event_or_answer")),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_key_route")),
        sqlite_strict=True,
    )
    op.create_table(
        "near_state",
        sa.Column("owner_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("events", WHOLE, nullable=False),
        sa.Column("entries", WHOLE, nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("entries >= 0", name=op.f("ck_near_state_entries_are_counted")),
        sa.CheckConstraint("events >= 0", name=op.f("ck_near_state_events_are_counted")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_near_state")),
        sqlite_strict=True,
    )
    op.create_table(
        "note",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_note")),
        sqlite_strict=True,
    )
    op.create_table(
        "owner",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_day", WHOLE, nullable=True),
        sa.Column("opened_at", WHOLE, nullable=False),
        sa.CheckConstraint("kind IN ('member', 'guest', 'card', 'budget')", name=op.f("ck_owner_kind_is_known")),
        sa.CheckConstraint("state IN ('active', 'blocked', 'merged', 'erased')", name=op.f("ck_owner_state_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
        sqlite_strict=True,
    )
    op.create_table(
        "parked_return",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("return_store_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "store_id", "receipt_id", "return_store_id", "return_id", name=op.f("pk_parked_return")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "policy_version",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("from_day", WHOLE, nullable=False),
        sa.Column("published_at", WHOLE, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(data) > 0", name=op.f("ck_policy_version_data_is_there")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_version")),
        sqlite_strict=True,
    )
    op.create_table(
        "posting",
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("entry_number", WHOLE, nullable=False),
        sa.Column("leg", WHOLE, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("lot_day", WHOLE, nullable=True),
        sa.Column("available_at", WHOLE, nullable=True),
        sa.Column("expires_at", WHOLE, nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_amount_is_not_zero")),
        sa.PrimaryKeyConstraint("owner_id", "entry_number", "leg", name=op.f("pk_posting")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profile",
        sa.Column("owner_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("metadata_blob", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_profile")),
        sqlite_strict=True,
    )
    op.create_table(
        "program",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("opened_at", WHOLE, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_program_one_program")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
        sqlite_strict=True,
    )
    op.create_table(
        "receipt_route",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=True),
        sa.Column("number", WHOLE, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('purchase', 'return')", name=op.f("ck_receipt_route_kind_is_known")),
        sa.PrimaryKeyConstraint("store_id", "receipt_id", "kind", name=op.f("pk_receipt_route")),
        sqlite_strict=True,
    )
