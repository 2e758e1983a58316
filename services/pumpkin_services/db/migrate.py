"""Bringing a database to the schema this release knows, and refusing one that a newer release wrote."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from pumpkin_services.db.engine import Database


class NewerDatabase(Exception):
    """The database was written by a newer release."""


def alembic_config(connection: Connection | None = None) -> Config:
    """Return alembic's configuration for the packaged migrations, on `connection` when given."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade `database` to `revision`; raise `NewerDatabase` when its own revision is unknown here."""
    async with database.engine.connect() as connection:
        await connection.run_sync(lambda sync: _upgrade(sync, revision))
        await connection.commit()


def _upgrade(connection: Connection, revision: str) -> None:
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if inspect(connection).has_table("alembic_version"):
        present = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
        if present - known:
            raise NewerDatabase(
                f"The database is at schema {', '.join(sorted(present - known))}, which this release does not know: "
                "it was written by a newer release. Upgrade Pumpkin, or restore the backup made before the upgrade."
            )
    command.upgrade(config, revision)
