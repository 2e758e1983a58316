"""Rules of workspaces: making them, who belongs to them and as what, and when they may go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.accounts.models import (
    Member,
    MemberPut,
    Members,
    Workspace,
    WorkspaceCreate,
    WorkspacePatch,
    WorkspaceQuery,
)
from pumpkin_services.accounts.sync import FROZEN_GROUP
from pumpkin_services.accounts.tables import MemberRow, UserRow, WorkspaceRow
from pumpkin_services.db import utcnow
from pumpkin_services.hub import HubClient
from pumpkin_services.names import PLATFORM_WORKSPACE
from pumpkin_services.principal import Principal, WorkspaceRole
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, check_revision
from pumpkin_services.web import Page, paginate

Holdings = Callable[[AsyncSession, str], Awaitable[str]]
"""What a module keeps for a workspace, in words (`3 datasets`), "" for nothing."""


@dataclass(frozen=True, kw_only=True)
class HubFacts:
    """What the Hub knows of a name, asked before the transaction begins."""

    user: bool
    group: bool = False


class WorkspaceService:
    """Workspaces that are Hub groups; a user's personal workspace has no row.

    `holdings` are asked before a workspace is deleted: the application appends what each module keeps for it.
    """

    def __init__(self, *, hub: HubClient, changed: Callable[[str], None]) -> None:
        self._hub = hub
        self._changed = changed
        self.holdings: list[Holdings] = []

    async def facts(self, name: str, *, group: bool = False) -> HubFacts:
        """Ask the Hub whether a user (and a group) of that name exists."""
        user = await self._hub.user(name) is not None
        return HubFacts(user=user, group=group and await self._hub.group(name) is not None)

    async def exists(self, session: AsyncSession, name: str) -> bool:
        """Tell whether there is a workspace (other than a personal one) of that name."""
        found = select(WorkspaceRow.id).where(WorkspaceRow.name == name, WorkspaceRow.deleted.is_(False))
        return await session.scalar(found) is not None

    async def learn(self, session: AsyncSession, user: str, *, adopt: Sequence[str], drop: Sequence[str]) -> None:
        """Write down what the Hub did by itself: it put `user` into some groups and took them out of others."""
        for name in adopt:
            row = await session.scalar(select(WorkspaceRow).where(WorkspaceRow.name == name))
            if row is None:
                row = WorkspaceRow(name=name, description="A group of the Hub.", synced=utcnow())
                session.add(row)
            row.deleted = False
            await self._put(session, name, user, role="member", by="")
        if drop:
            await session.execute(delete(MemberRow).where(MemberRow.user == user, MemberRow.workspace.in_(drop)))

    # -- workspaces -------------------------------------------------------------------------------------------

    async def list_workspaces(
        self, session: AsyncSession, principal: Principal, *, query: WorkspaceQuery
    ) -> Page[Workspace]:
        """Return the caller's workspaces, the personal one first; to an admin who asks, everybody's."""
        statement = select(WorkspaceRow).where(WorkspaceRow.deleted.is_(False))
        everybody = query.all and principal.admin("accounts")
        if not everybody:
            statement = statement.where(WorkspaceRow.name.in_(principal.workspaces))
        if query.q:
            statement = statement.where(WorkspaceRow.name.contains(query.q, autoescape=True))
        rows, following = await paginate(session, statement, key=WorkspaceRow.id, query=query)
        counts = await self._counts(session, [row.name for row in rows])
        items = [_wire(row, principal, counts.get(row.name, 0)) for row in rows]
        if not everybody and query.cursor is None and principal.name in principal.workspaces:
            personal = await self._personal(session, principal.name)
            if personal is not None and (query.q or "") in principal.name:
                items.insert(0, personal)
        return Page(items=items, next=following)

    async def get_workspace(self, session: AsyncSession, principal: Principal, *, name: str) -> Workspace:
        """Return one workspace of the caller's (any, for an admin); raise `NotFound`."""
        if name == principal.name or (principal.admin("accounts") and not await self.exists(session, name)):
            personal = await self._personal(session, name)
            if personal is not None:
                return personal.model_copy(update={"role": principal.workspaces.get(name)})
        row = await self._visible(session, principal, name)
        return _wire(row, principal, (await self._counts(session, [name])).get(name, 0))

    async def create_workspace(
        self, session: AsyncSession, principal: Principal, *, request: WorkspaceCreate, facts: HubFacts
    ) -> Workspace:
        """Make a workspace owned by the caller; the name must be no user's and no group's. Then push it to the Hub."""
        if principal.kind != "user":
            raise Forbidden("Only a user can own a workspace: make it with a user's token.")
        name = request.name
        if name in (PLATFORM_WORKSPACE, FROZEN_GROUP):
            raise Conflict(f"'{name}' is a name of the platform's own: choose another name.", field="name")
        if facts.user or await session.scalar(select(UserRow.id).where(UserRow.name == name)):
            raise Conflict(f"'{name}' is the name of a user: choose another name.", field="name")
        row = await session.scalar(select(WorkspaceRow).where(WorkspaceRow.name == name))
        if facts.group or (row is not None and not row.deleted):
            raise Conflict(f"There is a workspace or Hub group '{name}' already: choose another name.", field="name")
        if row is None:
            row = WorkspaceRow(name=name, revision=0)
            session.add(row)
        row.description, row.creator, row.deleted, row.created = request.description, principal.name, False, utcnow()
        await self._put(session, name, principal.name, role="owner", by=principal.name)
        await self._touch(session, row)
        return _wire(row, principal, 1).model_copy(update={"role": "owner"})

    async def patch_workspace(
        self, session: AsyncSession, principal: Principal, *, name: str, patch: WorkspacePatch, if_match: int | None
    ) -> Workspace:
        """Change a workspace's description (owners and admins)."""
        row = await self._owned(session, principal, name)
        check_revision(row.revision, if_match)
        row.description = patch.description
        row.revision += 1
        return _wire(row, principal, (await self._counts(session, [name])).get(name, 0))

    async def delete_workspace(
        self, session: AsyncSession, principal: Principal, *, name: str, if_match: int | None
    ) -> None:
        """Remove an empty workspace (owners and admins); raise `Conflict` saying what it still holds."""
        row = await self._owned(session, principal, name)
        check_revision(row.revision, if_match)
        kept = [words for holdings in self.holdings if (words := await holdings(session, name))]
        if kept:
            raise Conflict(f"'{name}' still holds {', '.join(kept)}: delete or move them first.", field="workspace")
        users = (await session.scalars(select(MemberRow.user).where(MemberRow.workspace == name))).all()
        await session.execute(delete(MemberRow).where(MemberRow.workspace == name))
        row.deleted = True
        await self._touch(session, row)
        for user in users:
            self._changed(user)

    # -- members ----------------------------------------------------------------------------------------------

    async def members(self, session: AsyncSession, principal: Principal, *, name: str) -> Members:
        """Return who belongs to a workspace of the caller's (any, for an admin), owners first."""
        row = await self._visible(session, principal, name)
        rows = await session.execute(
            select(MemberRow, UserRow.display_name)
            .outerjoin(UserRow, UserRow.name == MemberRow.user)
            .where(MemberRow.workspace == name)
        )
        order = {"owner": 0, "member": 1, "viewer": 2}
        items = [_member(member, display) for member, display in rows]
        return Members(items=sorted(items, key=lambda item: (order[item.role], item.user)), revision=row.revision)

    async def put_member(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        name: str,
        user: str,
        request: MemberPut,
        facts: HubFacts,
        if_match: int | None,
    ) -> Member:
        """Add somebody or change their role (owners and admins). Then push the workspace to the Hub."""
        row = await self._owned(session, principal, name)
        check_revision(row.revision, if_match)
        if not facts.user:
            raise Invalid(f"The Hub knows no user '{user[:80]}': they sign up first.", field="user")
        if request.role != "owner":
            await self._keep_an_owner(session, name, user)
        await self._put(session, name, user, role=request.role, by=principal.name)
        await self._touch(session, row)
        self._changed(user)
        found = select(MemberRow, UserRow.display_name).outerjoin(UserRow, UserRow.name == MemberRow.user)
        member, display = (
            await session.execute(found.where(MemberRow.workspace == name, MemberRow.user == user))
        ).one()
        return _member(member, display)

    async def remove_member(
        self, session: AsyncSession, principal: Principal, *, name: str, user: str, if_match: int | None
    ) -> None:
        """Remove somebody (owners and admins), or leave. The last owner stays. Then push the workspace to the Hub."""
        if user == principal.name:
            row = await self._visible(session, principal, name)
        else:
            row = await self._owned(session, principal, name)
        check_revision(row.revision, if_match)
        member = await session.get(MemberRow, (name, user))
        if member is None:
            raise NotFound(f"'{user[:80]}' does not belong to '{name}'.", field="user")
        await self._keep_an_owner(session, name, user)
        await session.delete(member)
        await self._touch(session, row)
        self._changed(user)

    async def _keep_an_owner(self, session: AsyncSession, name: str, user: str) -> None:
        """Raise `Conflict` when `user` is the only owner of `name`."""
        found = select(MemberRow.user).where(MemberRow.workspace == name, MemberRow.role == "owner").limit(2)
        if (await session.scalars(found)).all() == [user]:
            raise Conflict(
                f"'{user}' is the last owner of '{name}': make somebody else owner first, or delete the workspace.",
                field="user",
                reason="last_owner",
            )

    async def _put(self, session: AsyncSession, name: str, user: str, *, role: WorkspaceRole, by: str) -> None:
        member = await session.get(MemberRow, (name, user))
        if member is None:
            session.add(MemberRow(workspace=name, user=user, role=role, added_by=by))
        else:
            member.role = role
        await session.flush()

    async def _touch(self, session: AsyncSession, row: WorkspaceRow) -> None:
        row.revision += 1
        row.synced = None  # the Hub's group has yet to follow
        await session.flush()

    async def _visible(self, session: AsyncSession, principal: Principal, name: str) -> WorkspaceRow:
        if name == principal.name:
            raise Invalid("Your personal workspace is yours alone: make another one to share.", field="workspace")
        row = await session.scalar(
            select(WorkspaceRow).where(WorkspaceRow.name == name, WorkspaceRow.deleted.is_(False))
        )
        if row is None or not (name in principal.workspaces or principal.admin("accounts")):
            raise NotFound(f"You belong to no workspace '{name[:80]}'.", field="workspace")
        return row

    async def _owned(self, session: AsyncSession, principal: Principal, name: str) -> WorkspaceRow:
        row = await self._visible(session, principal, name)
        if principal.workspaces.get(name) != "owner" and not principal.admin("accounts"):
            raise Forbidden(f"Only owners of '{name}' may do this: ask one of them.", field="workspace")
        return row

    async def _counts(self, session: AsyncSession, names: Sequence[str]) -> dict[str, int]:
        rows = await session.execute(
            select(MemberRow.workspace, func.count())
            .where(MemberRow.workspace.in_(names))
            .group_by(MemberRow.workspace)
        )
        return dict(rows.all())

    async def _personal(self, session: AsyncSession, name: str) -> Workspace | None:
        user = await session.scalar(select(UserRow).where(UserRow.name == name))
        if user is None:
            return None
        return Workspace(
            id=user.id,
            name=name,
            description="",
            creator=name,
            personal=True,
            role="owner",
            members=1,
            created=user.created,
            revision=1,
        )


def _wire(row: WorkspaceRow, principal: Principal, members: int) -> Workspace:
    return Workspace(
        id=row.id,
        name=row.name,
        description=row.description,
        creator=row.creator,
        personal=False,
        role=principal.workspaces.get(row.name),
        members=members,
        created=row.created,
        revision=row.revision,
    )


def _member(row: MemberRow, display_name: str | None) -> Member:
    return Member(
        user=row.user,
        display_name=display_name or "",
        role=row.role,
        added=row.added,
        added_by=row.added_by,
    )
