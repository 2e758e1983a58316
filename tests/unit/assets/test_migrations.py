"""The migrations make exactly the tables the code declares."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from pumpkin_services.artifacts import tables as artifact_tables
from pumpkin_services.assets import tables as asset_tables
from pumpkin_services.db import Base, Database
from pumpkin_services.db.migrate import alembic_config, migrate
from pumpkin_services.models import tables as model_tables

OURS = {
    row.__tablename__
    for module in (artifact_tables, asset_tables, model_tables)
    for row in vars(module).values()
    if isinstance(row, type) and issubclass(row, Base) and row is not Base
}


def differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = compare_metadata(context, Base.metadata)
    return [str(change) for change in found if any(f"'{name}'" in str(change) for name in OURS)]


async def test_upgrade_makes_the_tables_and_downgrade_takes_them_away(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.sqlite")
    await migrate(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0003_resources"))
        assert not OURS & set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    await database.close()
