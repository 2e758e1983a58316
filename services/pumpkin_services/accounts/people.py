"""Making users, handing out one-time passwords, making admins: done by the Hub, in the name of the admin who asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import select

from pumpkin_services.accounts.models import User, UserCreate, UserCreated
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.accounts.sync import FROZEN_GROUP
from pumpkin_services.accounts.tables import UserRow
from pumpkin_services.db import Database
from pumpkin_services.hub import HubClient, HubRefused
from pumpkin_services.names import PLATFORM_WORKSPACE
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, NotFound

HUB_SCOPES = ["admin:users"]


class People:
    """What admins do to users through the Hub. Methods take their own transactions: the Hub is asked between them."""

    def __init__(self, *, database: Database, hub: HubClient, accounts: AccountService) -> None:
        self._database = database
        self._hub = hub
        self._accounts = accounts

    async def create(self, principal: Principal, *, request: UserCreate) -> UserCreated:
        """Make a user at the Hub and here; raise `Conflict` when the name is taken by a user or a workspace."""
        name = request.name
        if name in (PLATFORM_WORKSPACE, FROZEN_GROUP):
            raise Conflict(f"'{name}' is a name of the platform's own: choose another name.", field="name")
        async with self._database.read() as session:
            if await self._accounts.workspaces.exists(session, name):
                raise Conflict(f"There is a workspace '{name}' already: choose another name.", field="name")
        async with self._acting(principal) as hub:
            try:
                await hub.create_user(name, admin=request.admin)
            except Conflict as conflict:
                raise Conflict(f"There is a user '{name}' already: choose another name.", field="name") from conflict
            password = await hub.one_time_password(name)
        async with self._database.write() as session:
            row = await session.scalar(select(UserRow).where(UserRow.name == name))
            if row is None:  # not one the Hub has forgotten since
                row = UserRow(name=name, roles=[])
                session.add(row)
            row.admin = request.admin
            await session.flush()
            made = User.model_validate(row)
        return UserCreated(user=made, one_time_password=password)

    async def one_time_password(self, principal: Principal, *, name: str) -> str:
        """Return a new one-time password for a user, who chooses a new password with it; the old one works until then.

        Raises:
            Conflict: where passwords are an identity provider's matter.
        """
        if await self._hub.user(name) is None:
            raise NotFound(f"The Hub knows no user '{name[:80]}'.", field="user")
        async with self._acting(principal) as hub:
            password = await hub.one_time_password(name)
        if password is None:
            raise Conflict("Passwords are kept by the identity provider people log in at: ask for a new one there.")
        return password

    async def set_admin(self, principal: Principal, *, name: str, admin: bool) -> User:
        """Make a user an admin, or no longer one; nobody takes it from themselves, so that one is left."""
        if name == principal.name and not admin:
            raise Conflict("You cannot take your own admin rights: ask another admin.", field="user")
        async with self._database.read() as session:
            await self._accounts.get_user(session, principal, name=name)
        async with self._acting(principal) as hub:
            await hub.set_admin(name, admin)
        async with self._database.write() as session:
            row = (await session.scalars(select(UserRow).where(UserRow.name == name))).one()
            row.admin = admin
            row.revision += 1
            await session.flush()
            changed = User.model_validate(row)
        self._accounts.forget(name)
        return changed

    @asynccontextmanager
    async def _acting(self, principal: Principal) -> AsyncGenerator[HubClient]:
        refused = Forbidden("Only an admin of the Hub may do this: ask one.")
        if principal.kind != "user":
            raise refused
        try:
            async with self._hub.acting_as(principal.name, scopes=HUB_SCOPES) as hub:
                yield hub
        except HubRefused as refusal:
            if refusal.hub_status in (400, 403) and "scope" in refusal.detail.lower():
                raise refused from refusal
            raise
