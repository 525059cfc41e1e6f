"""The schema: strict, owner-led, and the same whether it was migrated or created."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from rewards.errors import InvalidRequest, TryAgain
from rewards.store import migrate, sqlite, statements
from rewards.store.database import Store
from rewards.store.tables import METADATA

ROUTES = {"receipt_route", "key_route", "code_route", "contact_route", "replaced_card"}
PROGRAM_WIDE = {"program", "policy_version", "api_key"}
LED_BY_A_RECEIPT = {"parked_return"}  # it has no owner yet
LED_BY_A_CALLER = {"guess"}
IN_ORDER = {"event", "answer", "entry", "posting"}  # in which they came


def ddl(connection: sqlite3.Connection) -> dict[str, list[str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        name: sorted(re.split(r",\s*\n|\n|(?<=\))\s(?=WITHOUT)", re.sub(r"[ \t]+", " ", sql))) for name, sql in rows
    }


def words(lines: list[str]) -> list[str]:
    return sorted(line.strip().rstrip(",") for line in lines if line.strip())


def test_a_migrated_database_equals_a_created_one(tmp_path):
    path = str(tmp_path / "m.db")
    Store(path).close()
    with closing(sqlite3.connect(path)) as migrated, closing(sqlite3.connect(":memory:")) as created:
        migrate.create(created)
        mine, theirs = ddl(migrated), ddl(created)
        mine.pop("alembic_version")
        assert {name: words(lines) for name, lines in mine.items()} == {
            name: words(lines) for name, lines in theirs.items()
        }
        assert migrated.execute("SELECT version_num FROM alembic_version").fetchone() == (migrate.HEAD,)


def at_version(path: str, version: str) -> None:
    """Make a database as an older engine left it."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


def test_every_older_version_is_known():
    there = {path.name[1:5] for path in (migrate.MIGRATIONS / "versions").glob("m*.py")}
    assert there == {*migrate.KNOWN, migrate.HEAD}


def test_an_older_database_is_upgraded_with_what_it_holds(tmp_path):
    path = str(tmp_path / "old.db")
    at_version(path, "0001")
    event = (1, 1, "purchase", "r1", None, 5, 6, "S1", "T1", "kim", b"f" * 32, b"body")
    back = (1, 2, "return", "b1", 1, 5, 6, "S1", "T1", "kim", b"f" * 32, b"body")
    others = [(owner, *event[1:]) for owner in (2, 3)]
    answer = (1, 2, 201, b"told")
    entries = [(o, 1, 1, "purchase", "v", "1", 5, 6, b"awards", b"", b"h" * 32) for o in (1, 2, 3)]
    legs = [(o, 1, i, "lot", unit, i - 7, 3, None, 9) for o in (1, 2) for i, unit in enumerate(["stamps", "beans"])]
    insert = f"INSERT INTO event VALUES ({', '.join('?' * 12)})"
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(insert, [event, back, *others])
        connection.executemany("INSERT INTO answer VALUES (?, ?, ?, ?)", [answer])
        connection.executemany(f"INSERT INTO entry VALUES ({', '.join('?' * 11)})", entries)
        connection.executemany(f"INSERT INTO posting VALUES ({', '.join('?' * 9)})", legs)
        connection.commit()
    store = Store(path)
    with store.reading() as session:
        assert session.keyed(statements.ANSWERS, [(1, 1), (1, 2)]) == [answer]
        assert session.keyed(statements.ENTRIES_OF_OWNER, [(1,), (2,), (3,)]) == entries
        assert session.keyed(statements.POSTINGS_OF_OWNER, [(1,), (2,), (3,)]) == legs
        assert session.keyed(statements.POSTINGS_OF_EVENT, [(2, 1)]) == legs[2:]
        assert session.keyed(statements.ENTRIES_OF_EVENT, [(1, 1), (1, 2), (3, 1)]) == [entries[0], entries[2]]
    store.close()
    with closing(sqlite3.connect(path)) as upgraded, closing(sqlite3.connect(":memory:")) as created:
        migrate.create(created)
        mine, theirs = ddl(upgraded), ddl(created)
        mine.pop("alembic_version")
        assert {name: words(lines) for name, lines in mine.items()} == {
            name: words(lines) for name, lines in theirs.items()
        }
        kept = [(i, *row) for i, row in enumerate([event, back, *others], 1)]
        assert upgraded.execute("SELECT * FROM event ORDER BY id").fetchall() == kept
        insert = insert.replace("(", "(NULL, ")
        upgraded.execute(insert, (4, 1, "card", *event[3:]))
        with pytest.raises(sqlite3.IntegrityError):
            upgraded.execute(insert, (5, 1, "nothing", *event[3:]))


def test_an_entry_without_its_event_is_not_lost_by_an_upgrade(tmp_path):
    path = str(tmp_path / "old.db")
    at_version(path, "0013")
    with closing(sqlite3.connect(path)) as connection:
        entry = (1, 7, 1, 1, "purchase", "v", "1", 5, 6, b"awards", b"", b"h" * 32)
        connection.execute(f"INSERT INTO entry VALUES ({', '.join('?' * 12)})", entry)
        connection.commit()
    with pytest.raises(InvalidRequest, match=r"entry\.event_id"):
        Store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM entry").fetchall() == [entry]


def test_every_table_is_strict():
    with closing(sqlite3.connect(":memory:")) as connection:
        migrate.create(connection)
        loose = [row[1] for row in connection.execute("PRAGMA table_list") if not row[5] and row[1][:6] != "sqlite"]
    assert loose == []


def test_every_table_is_led_by_its_owner_or_is_a_route():
    for name, table in METADATA.tables.items():
        lead = next(iter(table.primary_key.columns)).name
        if name in ROUTES | PROGRAM_WIDE | LED_BY_A_RECEIPT | LED_BY_A_CALLER | IN_ORDER:
            assert lead != "owner_id"
        else:
            assert lead == ("id" if name == "owner" else "owner_id"), name


def test_tables_without_rowid_hold_no_blobs():
    for name, table in METADATA.tables.items():
        if not table.dialect_options["sqlite"]["with_rowid"]:
            assert all(column.type.compile(sqlite.DIALECT) != "BLOB" for column in table.columns), name


def test_a_transaction_is_durable_before_it_is_answered(tmp_path):
    store = Store(str(tmp_path / "s.db"))
    with store.transaction() as session:
        assert session.rows("PRAGMA synchronous") == [(2,)]
        assert session.rows("PRAGMA journal_mode") == [("wal",)]
    store.close()


def test_a_block_that_raises_leaves_nothing(tmp_path):
    store = Store(str(tmp_path / "s.db"))
    row = (1, b"x", None, None, 1)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as session:
        session.write("INSERT INTO program VALUES (?, ?, ?, ?, ?)", [row, row])
    with store.reading() as session:
        assert session.rows("SELECT * FROM program") == []
    store.close()


def test_opening_twice_keeps_what_is_there(tmp_path):
    path = str(tmp_path / "s.db")
    store = Store(path)
    with store.transaction() as session:
        session.write("INSERT INTO program VALUES (?, ?, ?, ?, ?)", [(1, b"x", None, None, 1)])
    store.close()
    store.close()
    again = Store.open(f"sqlite:///{path}")
    with again.reading() as session:
        assert len(session.rows("SELECT * FROM program")) == 1
    again.close()


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "s.db"
    Store(str(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(InvalidRequest, match="9999"):
        Store(str(path))


@pytest.mark.parametrize("kind", ["text", "other program", "folder"])
def test_what_is_no_database_of_ours_is_refused(tmp_path, kind):
    path = tmp_path / "s.db"
    if kind == "text":
        path.write_text("no database at all, but long enough to look at\n" * 40)
    elif kind == "folder":
        path.mkdir()
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE theirs (x)")
            connection.commit()
    with pytest.raises(InvalidRequest):
        Store(str(path))


@pytest.mark.parametrize(("url", "code"), [("mysql://x/y", "database-unsupported"), ("nonsense", "database-url")])
def test_other_databases_are_refused(url, code):
    with pytest.raises(InvalidRequest) as refused:
        Store.open(url)
    assert refused.value.code == code


def test_the_schema_itself_refuses_nonsense():
    store = Store(":memory:")
    posting = "INSERT INTO posting VALUES (1, 1, 1, 1, 'lot', 'beans', 0, NULL, NULL, NULL)"
    with store.transaction() as session, pytest.raises(sqlite3.IntegrityError):
        session.rows(posting)
    with store.transaction() as session, pytest.raises(sqlite3.IntegrityError):
        session.rows("INSERT INTO owner VALUES (1, 'nobody', 'active', NULL, 1)")
    with store.transaction() as session, pytest.raises(sqlite3.IntegrityError):
        session.rows("INSERT INTO near_state VALUES (1, 'many', 0, x'', x'')")
    store.close()


def test_a_disk_that_is_full_is_no_fault_of_the_caller(tmp_path):
    store = Store(str(tmp_path / "s.db"))
    store._writing.execute("PRAGMA max_page_count = 60")
    with pytest.raises(TryAgain), store.transaction() as session:
        session.write("INSERT INTO answer VALUES (?, 1, 1, 200, zeroblob(10000))", [(i,) for i in range(100)])
    with store.reading() as session:
        assert session.rows("SELECT count(*) FROM answer") == [(0,)]
    store.close()
    for use in (store.transaction, store.reading):
        with pytest.raises(TryAgain), use():
            pass


def test_processes_that_open_a_new_file_at_once_agree(tmp_path):
    code = "import sys; from rewards.store.database import Store; Store(sys.argv[1]).close()"
    path = str(tmp_path / "s.db")
    started = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.HEAD,)]


def test_a_migration_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "s.db"
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Store(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    Store(str(path)).close()


def test_a_migration_that_the_database_refuses_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("CREATE", {}, sqlite3.OperationalError("disk full"))

    monkeypatch.setattr("alembic.op.create_index", refuse)
    with pytest.raises(InvalidRequest, match="disk full"):
        Store(str(tmp_path / "s.db"))


def test_an_older_database_keeps_its_events(tmp_path):
    path = str(tmp_path / "old.db")
    event = (7, 1, "purchase", "r1", None, 10, 11, "S1", "", "", b"f" * 32, b"body")
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    with create_engine(f"sqlite:///{path}").connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", event)
        connection.commit()
    store = Store(path)
    with store.reading() as session:
        assert session.rows("SELECT * FROM event") == [(1, *event)]
    store.close()
