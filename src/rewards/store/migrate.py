"""Brings a database to the schema of this version, when it is opened.

What does not live here: the steps (`migrations/versions`), which Alembic runs.
A database in memory gets the tables at once; a test holds both ways to each
other.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.schema import CreateIndex, CreateTable

from rewards.errors import InvalidRequest
from rewards.store import sqlite
from rewards.store.tables import METADATA

HEAD = "0014"
KNOWN = ("0001", "0003", "0004", "0005", "0006", "0007", "0009", "0011", "0013")
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: sqlite3.Connection, path: str) -> None:
    """Create or upgrade the schema; raise `InvalidRequest` for a newer one or a file that is no database of ours."""
    try:
        found = _version(connection)
    except sqlite3.DatabaseError as error:
        raise InvalidRequest("database-unusable", f"`{path}` is not a database: {error}") from error
    if found == HEAD:
        return
    if found is not None and found not in KNOWN:
        raise InvalidRequest(
            "database-newer",
            f"`{path}` has schema {found}, this version knows {HEAD}; use the newer version of the engine",
        )
    if path == ":memory:":
        create(connection)
    else:
        _run(path)


def _version(connection: sqlite3.Connection) -> str | None:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in names:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    if names:
        raise sqlite3.DatabaseError("it holds tables of another program")
    return None


def create(connection: sqlite3.Connection) -> None:
    """Create all tables as `tables` has them."""
    connection.execute("BEGIN")
    for table in METADATA.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.DIALECT)))
        for index in table.indexes:
            connection.execute(str(CreateIndex(index).compile(dialect=sqlite.DIALECT)))
    connection.execute("COMMIT")


def _run(path: str) -> None:
    from alembic import command  # noqa: PLC0415  slow to import, needed once in a database's life
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # of two processes that open a new file, one waits
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        raise InvalidRequest("database-unusable", f"`{path}` cannot be upgraded: {error.orig}") from error
    finally:
        engine.dispose()
