"""Making the Hub follow our rows: groups of workspaces, sessions of frozen users. Every step may be repeated."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from sqlalchemy import select

from pumpkin_services.accounts.tables import MemberRow, UserRow, WorkspaceRow
from pumpkin_services.db import Database, utcnow
from pumpkin_services.hub import HubClient
from pumpkin_services.problems import NotFound, Problem

FROZEN_GROUP = "pumpkin-frozen"
"""The Hub group whose members the Hub lets in no more; it is no workspace."""
log = logging.getLogger("pumpkin.accounts")


class HubSync:
    """Tells the Hub what changed here, now if it answers, else later."""

    def __init__(self, *, database: Database, hub: HubClient) -> None:
        self._database = database
        self._hub = hub

    async def run(self, *, interval: float = 30.0) -> None:
        """Catch up with whatever the Hub has not been told yet, every `interval` seconds, until cancelled."""
        while True:
            try:
                await self.settle()
            except Problem as problem:  # a full disk, a locked database: there is a next time
                log.warning("the Hub could not be told: %s", problem)
            await asyncio.sleep(interval)

    async def settle(self) -> None:
        """Tell the Hub everything it has not been told yet."""
        async with self._database.read() as session:
            workspaces = (await session.scalars(select(WorkspaceRow.name).where(WorkspaceRow.synced.is_(None)))).all()
            users = (await session.scalars(select(UserRow.name).where(UserRow.synced.is_(False)))).all()
        for name in workspaces:
            await self.push_workspace(name)
        for name in users:
            await self.push_user(name)

    async def push_workspace(self, name: str) -> None:
        """Make the Hub's group the same as our rows; on failure it stays to be done."""
        async with self._database.read() as session:
            row = await session.scalar(select(WorkspaceRow).where(WorkspaceRow.name == name))
            members = set(await session.scalars(select(MemberRow.user).where(MemberRow.workspace == name)))
        if row is None:
            return
        try:
            if row.deleted:
                await self._hub.delete_group(name)
            else:
                await self._hub.create_group(name)
                group = await self._hub.group(name)
                present = set(group.users) if group else set[str]()
                # One unknown name would spoil the whole call: somebody may have been deleted from the Hub since.
                missing = [user for user in sorted(members - present) if await self._hub.user(user) is not None]
                await self._hub.add_to_group(name, missing)
                await self._hub.remove_from_group(name, sorted(present - members))
        except Problem as problem:
            log.warning("the Hub's group %r has yet to follow its workspace: %s", name, problem.detail)
            return
        async with self._database.write() as session:
            now = await session.scalar(select(WorkspaceRow).where(WorkspaceRow.name == name))
            # Changed meanwhile: that change brings its own push.
            if now is not None and now.revision == row.revision:
                now.synced = utcnow()

    async def push_user(self, name: str) -> None:
        """Tell the Hub whether a user is frozen, and end a frozen one's sessions; on failure it stays to be done."""
        async with self._database.read() as session:
            row = await session.scalar(select(UserRow).where(UserRow.name == name))
        if row is None:
            return
        try:
            if row.frozen:
                await self._end_sessions(name)
            else:
                with suppress(NotFound):
                    await self._hub.remove_from_group(FROZEN_GROUP, [name])
        except Problem as problem:
            log.warning("the Hub has yet to be told whether %r is frozen: %s", name, problem.detail)
            return
        async with self._database.write() as session:
            now = await session.scalar(select(UserRow).where(UserRow.name == name))
            if now is not None and now.frozen == row.frozen:
                now.synced = True

    async def _end_sessions(self, name: str) -> None:
        user = await self._hub.user(name)
        if user is None:
            return
        # First the group, by which the Hub lets nobody in: what is ended after it cannot begin again.
        await self._hub.create_group(FROZEN_GROUP)
        await self._hub.add_to_group(FROZEN_GROUP, [name])
        for server in user.servers:
            await self._hub.stop_server(name, server)
        for token in await self._hub.tokens(name):
            await self._hub.delete_token(name, token.id)
