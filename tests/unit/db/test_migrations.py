"""The schema, on SQLite and on real MariaDB and PostgreSQL servers: up, down, with data, and never from the future."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Float, LargeBinary, MetaData, inspect, select, text
from sqlalchemy import column as at
from sqlalchemy import table as lean
from sqlalchemy.types import _Binary

import pumpkin_services
from pumpkin_services.db import Base, Database
from pumpkin_services.db.migrate import NewerDatabase, alembic_config, migrate
from tests.unit.db.rows import row

for tables in sorted(Path(pumpkin_services.__file__).parent.glob("*/tables.py")):
    importlib.import_module(f"pumpkin_services.{tables.parent.name}.tables")

REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]


def differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": other_type})
    return [str(item) for item in compare_metadata(context, Base.metadata)]


def other_type(_context: Any, _found_column: Any, _column: Any, found: Any, ours: Any) -> bool | None:
    """Tell whether a column has another type than declared; None leaves it to alembic."""
    # MariaDB picks its own of several blobs and floats by the size asked for.
    if isinstance(ours, LargeBinary | Float):
        return not isinstance(found, _Binary | Float)
    return None


def fill(connection: Connection, before: set[str]) -> set[str]:
    """Put a row into every table that is not in `before`; return all tables there are."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name not in before | {"alembic_version"}:
            ours = Base.metadata.tables[table.name]
            # Columns that a later revision adds are not there yet; without the class none has a default either.
            there = [at(one.name, one.type) for one in ours.columns if one.name in table.columns]
            values = {name: value for name, value in row(ours).items() if name in table.columns}
            connection.execute(lean(ours.name, *there).insert().values(values))
    return set(found.tables)


def counts(connection: Connection) -> dict[str, int]:
    names = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


async def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    await migrate(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_row_survives_the_upgrades_after_it_and_the_downgrade_leaves_nothing(database: Database) -> None:
    tables: set[str] = set()
    for revision in REVISIONS:
        await migrate(database, revision)
        async with database.engine.connect() as connection:
            tables = await connection.run_sync(fill, tables)
            await connection.commit()
    async with database.engine.connect() as connection:
        assert set((await connection.run_sync(counts)).values()) == {1}
        for revision in [*reversed(REVISIONS[:-1]), "base"]:
            await connection.run_sync(lambda sync, to=revision: command.downgrade(alembic_config(sync), to))
            await connection.commit()
            assert set((await connection.run_sync(counts)).values()) <= {1}
        assert await connection.run_sync(counts) == {}
    await migrate(database)


async def test_what_is_written_is_read_back_to_the_microsecond_and_the_last_sign(database: Database) -> None:
    await migrate(database)
    async with database.write() as session:
        for table in Base.metadata.sorted_tables:
            await session.execute(table.insert().values(row(table)))
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            assert dict((await session.execute(select(table))).mappings().one()) == row(table), table.name


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await migrate(database)
    await migrate(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_of_a_newer_release_is_refused_untouched_and_says_what_to_do(database: Database) -> None:
    await migrate(database, REVISIONS[0])
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    with pytest.raises(NewerDatabase, match=r"9999_later.*newer release\. Upgrade Pumpkin, or restore the backup"):
        await migrate(database)
    async with database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "9999_later"


async def test_sqlite_writes_ahead_keeps_what_it_acknowledged_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/p.sqlite")
    async with database.read() as session:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await session.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value
    await database.close()
