"""Existing interpreters as environments: what an admin registers, and `default`, what the platform runs on."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database, utcnow
from pumpkin_services.images import models as wire
from pumpkin_services.images import rows, views
from pumpkin_services.images.interpreters import Interpreter, in_image, inspect_interpreter
from pumpkin_services.images.tables import EnvironmentRow
from pumpkin_services.names import PLATFORM_WORKSPACE
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden

DEFAULT = "default"


class Interpreters:
    """Registers interpreters. Looking at one takes a second, so these open their own transactions."""

    def __init__(self, *, database: Database) -> None:
        self.database = database

    async def register(self, principal: Principal, *, request: wire.RegisterInterpreter) -> wire.Environment:
        """Offer an existing Python to everybody (image admins).

        Registering a name again makes a new version if the interpreter or its packages changed since.
        """
        if not principal.admin("images"):
            raise Forbidden("Only image admins register interpreters.")
        found = await inspect_interpreter(request.python)
        async with self.database.write() as session:
            row = await _record(session, found, name=request.name, creator=principal.name)
            row.description = request.description or row.description
            row.revision += 1
            await session.flush()
            return (await views.environments(session, principal, [row]))[0]

    async def register_default(self, python: str, *, image: str = "") -> None:
        """Make `default` the Python at this absolute path; called at each start with the platform's own.

        On a cluster it is the one in `image`, in which its notebooks and jobs run.
        """
        found = in_image(image, python=python) if image else await inspect_interpreter(python)
        what = f"The Python of the image {image}." if image else "The Python that the platform itself runs on."
        async with self.database.write() as session:
            row = await _record(session, found, name=DEFAULT, creator=PLATFORM_WORKSPACE)
            row.preset = True
            row.description = row.description or what


async def _record(session: AsyncSession, found: Interpreter, *, name: str, creator: str) -> EnvironmentRow:
    row = await rows.named(session, PLATFORM_WORKSPACE, name)
    if row is None:
        row = await rows.add_environment(
            session, workspace=PLATFORM_WORKSPACE, name=name, creator=creator, kind="interpreter"
        )
        row.visibility = "everyone"
    elif row.kind != "interpreter":
        raise Conflict(f"'{name}' is an environment built from requirements: choose another name.", field="name")
    present = await rows.newest(session, row, states=("ready",))
    if present is None or present.digest != found.digest:
        version = rows.add_version(session, row, creator=creator, requirements=[])
        version.state, version.finished = "ready", utcnow()
        version.packages, version.digest, version.python_version = dict(found.packages), found.digest, found.version
        version.python, version.prefix = found.python, found.prefix
    return row
