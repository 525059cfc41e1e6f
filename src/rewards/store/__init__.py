"""The database: tables, migrations, the one writer, and reads."""
