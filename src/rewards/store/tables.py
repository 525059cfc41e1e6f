"""The schema: SQLModel table classes, their keys and CHECKs. Nothing else.

What does not live here: queries (`statements`), transactions, and any logic;
table models are never made into objects on a hot path. A route leads from a key of
the outside world to an owner. Every other table is led by its owner's id, but for
those that grow with each purchase: events and entries lie in the order in which they
came, with their answers and postings, so that what is written together is written to
few pages. Instants are microseconds since 1970, UTC; days are ordinals.
`tests/store/test_schema.py` holds the migrations and this module to each other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, MetaData, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

WHOLE = BigInteger().with_variant(Integer, "sqlite")
STRICT = {"sqlite_strict": True}
_ROUTED = "kind = 'purchase' OR kind = 'return' OR kind = 'hold'"
CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}  # no blobs in these


class Base(SQLModel):
    """The base of all tables."""

    metadata = METADATA


def _key(kind: TypeEngine[Any] | type[TypeEngine[Any]] = WHOLE) -> Column[Any]:
    return Column(kind, primary_key=True, nullable=False)


def _serial() -> Column[Any]:
    return Column(WHOLE, primary_key=True, nullable=False, autoincrement=False)


def _whole() -> Column[Any]:
    return Column(WHOLE, nullable=False)


def _text() -> Column[Any]:
    return Column(Text, nullable=False)


def _bytes() -> Column[Any]:
    return Column(LargeBinary, nullable=False)


class Program(Base, table=True):
    """The one program of this database, with the key that ids and quotes are made with."""

    __tablename__ = "program"
    __table_args__ = (CheckConstraint("id = 1", name="one_program"), STRICT)

    id: int = Field(sa_column=_serial())
    secret: bytes = Field(sa_column=_bytes())
    currency: str | None = Field(sa_column=Column(Text))  # both: by the first version
    timezone: str | None = Field(sa_column=Column(Text))
    opened_at: int = Field(sa_column=_whole())


class PolicyVersion(Base, table=True):
    """A published version of the policy: the file's own bytes."""

    __tablename__ = "policy_version"
    __table_args__ = (
        CheckConstraint("length(data) > 0", name="data_is_there"),
        STRICT,
    )

    number: int = Field(sa_column=_serial())
    version: str = Field(sa_column=_text())  # sha256:… of `data`
    from_day: int = Field(sa_column=_whole())
    published_at: int = Field(sa_column=_whole())
    data: bytes = Field(sa_column=_bytes())


class Owner(Base, table=True):
    """Whoever has a timeline."""

    __tablename__ = "owner"
    __table_args__ = (
        CheckConstraint("kind IN ('member', 'guest', 'card', 'budget')", name="kind_is_known"),
        CheckConstraint("state IN ('active', 'blocked', 'merged', 'erased')", name="state_is_known"),
        STRICT,
    )

    id: int = Field(sa_column=_serial())
    kind: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    joined_day: int | None = Field(sa_column=Column(WHOLE))
    opened_at: int = Field(sa_column=_whole())


class Profile(Base, table=True):
    """What is personal about a member; erased alone."""

    __tablename__ = "profile"
    __table_args__ = (STRICT,)

    owner_id: int = Field(sa_column=_serial())
    name: str = Field(sa_column=_text())
    language: str = Field(sa_column=_text())
    metadata_blob: bytes = Field(sa_column=_bytes())


class Event(Base, table=True):
    """What happened, as it was recorded; never changed. `of_number` is what a return or a cancellation is of."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("owner_id", "number"),
        # the journal's own net against doubles; in this order neighbours at a till share a page of its index
        UniqueConstraint("store_id", "external_id", "kind", "owner_id"),
        CheckConstraint("number > 0", name="number_is_positive"),
        CheckConstraint(
            # WHY twice: SQLite makes a table of a list for every row that it looks at
            "kind = 'purchase' OR kind IN ('enrolment', 'change', 'purchase', 'return', 'adjustment', 'card', "
            "'activity', 'hold', 'redemption', 'cancellation', 'merge')",
            name="kind_is_known",
        ),
        CheckConstraint("length(fingerprint) = 32", name="fingerprint_is_whole"),
        Index(
            "ix_event_owner_id_of_number",
            "owner_id",
            "of_number",
            sqlite_where=Column("of_number").is_not(None),
            postgresql_where=Column("of_number").is_not(None),
        ),
        STRICT,
    )

    id: int = Field(sa_column=_serial())  # order of recording
    owner_id: int = Field(sa_column=_whole())
    number: int = Field(sa_column=_whole())
    kind: str = Field(sa_column=_text())
    external_id: str = Field(sa_column=_text())  # receipt, return, adjustment, hold; of a card: what, and for which
    of_number: int | None = Field(sa_column=Column(WHOLE))
    occurred_at: int = Field(sa_column=_whole())
    recorded_at: int = Field(sa_column=_whole())
    store_id: str = Field(sa_column=_text())
    till_id: str = Field(sa_column=_text())
    operator_id: str = Field(sa_column=_text())
    fingerprint: bytes = Field(sa_column=_bytes())
    body: bytes = Field(sa_column=_bytes())


class Note(Base, table=True):
    """Free text and metadata of an event; erased alone."""

    __tablename__ = "note"
    __table_args__ = (STRICT,)

    owner_id: int = Field(sa_column=_key())
    number: int = Field(sa_column=_key())
    body: bytes = Field(sa_column=_bytes())


class Entry(Base, table=True):
    """One balanced booking with its reasons, found through its event; each carries the hash of the one before."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("event_id", "number"),
        CheckConstraint("number > 0", name="number_is_positive"),
        CheckConstraint("length(hash) = 32", name="hash_is_sha256"),
        STRICT,
    )

    id: int = Field(sa_column=_serial())  # order of booking
    event_id: int = Field(sa_column=_whole())
    owner_id: int = Field(sa_column=_whole())
    number: int = Field(sa_column=_whole())
    event_number: int = Field(sa_column=_whole())  # the event that brought it about
    kind: str = Field(sa_column=_text())
    policy_version: str = Field(sa_column=_text())
    engine_version: str = Field(sa_column=_text())
    occurred_at: int = Field(sa_column=_whole())
    recorded_at: int = Field(sa_column=_whole())
    awards: bytes = Field(sa_column=_bytes())
    prev_hash: bytes = Field(sa_column=_bytes())
    hash: bytes = Field(sa_column=_bytes())


class Posting(Base, table=True):
    """One leg of an entry, through which it is found: so what is booked together is written together."""

    __tablename__ = "posting"
    __table_args__ = (CheckConstraint("amount <> 0", name="amount_is_not_zero"), CLUSTERED)

    entry_id: int = Field(sa_column=_key())
    owner_id: int = Field(sa_column=_whole())
    entry_number: int = Field(sa_column=_whole())
    leg: int = Field(sa_column=_key())
    account: str = Field(sa_column=_text())
    unit: str = Field(sa_column=_text())
    amount: int = Field(sa_column=_whole())
    lot_day: int | None = Field(sa_column=Column(WHOLE))
    available_at: int | None = Field(sa_column=Column(WHOLE))
    expires_at: int | None = Field(sa_column=Column(WHOLE))


class NearState(Base, table=True):
    """The head of a timeline: its counts, its last hash, and the state that every event reads and writes."""

    __tablename__ = "near_state"
    __table_args__ = (
        CheckConstraint("events >= 0", name="events_are_counted"),
        CheckConstraint("entries >= 0", name="entries_are_counted"),
        STRICT,
    )

    owner_id: int = Field(sa_column=_serial())
    events: int = Field(sa_column=_whole())
    entries: int = Field(sa_column=_whole())
    head: bytes = Field(sa_column=_bytes())
    state: bytes = Field(sa_column=_bytes())


class DayState(Base, table=True):
    """What is known about an earlier day of a timeline."""

    __tablename__ = "day_state"
    __table_args__ = (STRICT,)

    owner_id: int = Field(sa_column=_key())
    day: int = Field(sa_column=_key())
    state: bytes = Field(sa_column=_bytes())


class Answer(Base, table=True):
    """What a caller was answered about an event, through which it is found; byte for byte."""

    __tablename__ = "answer"
    __table_args__ = (STRICT,)

    event_id: int = Field(sa_column=_serial())
    owner_id: int = Field(sa_column=_whole())
    number: int = Field(sa_column=_whole())
    status: int = Field(sa_column=_whole())
    body: bytes = Field(sa_column=_bytes())


class ParkedReturn(Base, table=True):
    """A return that waits for its purchase, led by the receipt that it waits for."""

    __tablename__ = "parked_return"
    __table_args__ = (STRICT,)

    store_id: str = Field(sa_column=_key(Text))  # of the purchase
    receipt_id: str = Field(sa_column=_key(Text))
    return_store_id: str = Field(sa_column=_key(Text))
    return_id: str = Field(sa_column=_key(Text))
    recorded_at: int = Field(sa_column=_whole())
    body: bytes = Field(sa_column=_bytes())


class ReceiptRoute(Base, table=True):
    """From a till's own number to the event; without an owner while a return is parked. Holds are of no store."""

    __tablename__ = "receipt_route"
    __table_args__ = (CheckConstraint(_ROUTED, name="kind_is_known"), STRICT)

    store_id: str = Field(sa_column=_key(Text))
    receipt_id: str = Field(sa_column=_key(Text))
    kind: str = Field(sa_column=_key(Text))
    owner_id: int | None = Field(sa_column=Column(WHOLE))
    number: int | None = Field(sa_column=Column(WHOLE))
    fingerprint: bytes = Field(sa_column=_bytes())


class KeyRoute(Base, table=True):
    """From a caller's Idempotency-Key to the event, or to what was answered without one."""

    __tablename__ = "key_route"
    __table_args__ = (
        CheckConstraint("(owner_id IS NULL) <> (answered IS NULL)", name="event_or_answer"),
        STRICT,
    )

    caller: str = Field(sa_column=_key(Text))
    key: str = Field(sa_column=_key(Text))
    owner_id: int | None = Field(sa_column=Column(WHOLE))
    number: int | None = Field(sa_column=Column(WHOLE))
    fingerprint: bytes = Field(sa_column=_bytes())
    recorded_at: int = Field(sa_column=_whole())
    answered: bytes | None = Field(sa_column=Column(LargeBinary))  # a refusal, or an answer about no timeline


class CodeRoute(Base, table=True):
    """From a keyed hash of a code to the owner that it stands for."""

    __tablename__ = "code_route"
    __table_args__ = (CheckConstraint("length(code_hash) = 32", name="hash_is_sha256"), STRICT)

    code_hash: bytes = Field(sa_column=_key(LargeBinary))
    owner_id: int = Field(sa_column=_whole())
    last_four: str = Field(sa_column=_text())


class HeldCard(Base, table=True):
    """A gift card that was issued to a member, used or not."""

    __tablename__ = "held_card"
    __table_args__ = (CLUSTERED,)

    owner_id: int = Field(sa_column=_key())  # the member
    card_id: int = Field(sa_column=_key())  # the card, an owner too


class GivenCard(Base, table=True):
    """A gift card that an event of a member gave: by which rule or reward, and the how manieth of it, from 0."""

    __tablename__ = "given_card"
    __table_args__ = (CLUSTERED,)

    owner_id: int = Field(sa_column=_key())  # the member
    number: int = Field(sa_column=_key())  # of the event
    giver: str = Field(sa_column=_key(Text))
    position: int = Field(sa_column=_key())
    card_id: int = Field(sa_column=_whole())  # the card, an owner too


class ContactRoute(Base, table=True):
    """From a card, a phone, an e-mail address or a foreign id to the member."""

    __tablename__ = "contact_route"
    __table_args__ = (
        CheckConstraint("kind IN ('card', 'phone', 'email', 'external_id')", name="kind_is_known"),
        Index("ix_contact_route_owner_id", "owner_id"),
        CLUSTERED,
    )

    kind: str = Field(sa_column=_key(Text))
    value: str = Field(sa_column=_key(Text))
    owner_id: int = Field(sa_column=_whole())


class ReplacedCard(Base, table=True):
    """From a card that was lost to the member who had it: nobody can use it, nor have it again."""

    __tablename__ = "replaced_card"
    __table_args__ = (Index("ix_replaced_card_owner_id", "owner_id"), CLUSTERED)

    value: str = Field(sa_column=_key(Text))
    owner_id: int = Field(sa_column=_whole())


class StaffDay(Base, table=True):
    """What a member of staff gave and took alone on a day, of a wallet or of money (an empty unit)."""

    __tablename__ = "staff_day"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_is_positive"), CLUSTERED)

    owner_id: int = Field(sa_column=_key())  # the person, as a number below zero
    day: int = Field(sa_column=_key())
    unit: str = Field(sa_column=_key(Text))
    amount: int = Field(sa_column=_whole())


class Guess(Base, table=True):
    """Wrong guesses at codes and PINs, of a caller or about a card: by a keyed hash, until they count no longer."""

    __tablename__ = "guess"
    __table_args__ = (
        CheckConstraint("wrong > 0", name="wrong_is_counted"),
        Index("ix_guess_free_at", "free_at"),
        CLUSTERED,
    )

    key: str = Field(sa_column=_key(Text))
    wrong: int = Field(sa_column=_whole())
    free_at: int = Field(sa_column=_whole())


class ApiKey(Base, table=True):
    """Who may call: a key's hash, its scopes and stores (space between)."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("length(key_hash) = 32", name="hash_is_sha256"), STRICT)

    key_hash: bytes = Field(sa_column=_key(LargeBinary))
    name: str = Field(sa_column=_text())
    scopes: str = Field(sa_column=_text())
    stores: str = Field(sa_column=_text())
    created_at: int = Field(sa_column=_whole())
    revoked_at: int | None = Field(sa_column=Column(WHOLE))
