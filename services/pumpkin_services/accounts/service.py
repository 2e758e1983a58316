"""Rules of users: who comes in, what comes with them, and who is shut out."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.accounts.membership import Belonging, Known, belonging
from pumpkin_services.accounts.models import Me, Membership, ProfilePatch, User, UserQuery
from pumpkin_services.accounts.sync import FROZEN_GROUP, HubSync
from pumpkin_services.accounts.tables import MemberRow, UserRow, WorkspaceRow
from pumpkin_services.accounts.tokens import TokenService
from pumpkin_services.accounts.workspaces import WorkspaceService
from pumpkin_services.db import Database, utcnow
from pumpkin_services.hub import HubClient, HubUser
from pumpkin_services.names import PLATFORM_WORKSPACE
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, Problem, check_revision
from pumpkin_services.web import Page, paginate

CACHE_SECONDS = 5.0
"""How long an admission is remembered: a freeze by another replica is felt after this at the latest."""
REFRESH = timedelta(seconds=60)
"""How often a user's admin flag, roles and last visit are written down."""
MODULES = (
    "datasets",
    "algorithms",
    "models",
    "images",
    "workloads",
    "schedules",
    "resources",
    "accounts",
    "billing",
)


class StopWorkloads(Protocol):
    """What is asked of workloads."""

    async def __call__(self, session: AsyncSession, principal: Principal, *, user: str) -> None:
        """Have everything stopped that `user` started, since `principal` froze them."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Admission:
    until: float
    groups: Set[str]
    workspaces: dict[str, Any]
    roles: frozenset[str]


class AccountService:
    """Users and admission; `workspaces` and `tokens` hold their rules, `sync` makes the Hub follow."""

    def __init__(self, *, database: Database, hub: HubClient) -> None:
        self._database = database
        self._hub = hub
        self._admitted: dict[str, _Admission] = {}
        self.sync = HubSync(database=database, hub=hub)
        self.workspaces = WorkspaceService(hub=hub, changed=self.forget)
        self.tokens = TokenService(hub=hub)
        self.stop_workloads: StopWorkloads | None = None
        """Set by whoever wires the platform, once workloads exist: what a frozen user runs is stopped."""

    def forget(self, user: str) -> None:
        """Look at `user` afresh on their next call: something about them changed."""
        self._admitted.pop(user, None)

    # -- admission --------------------------------------------------------------------------------------------

    async def admit(self, principal: Principal, model: dict[str, Any]) -> Principal:
        """Return the caller with their workspaces and roles; raise `Forbidden` for a frozen user.

        `model` is the Hub's user model; services come in as they are.
        """
        if principal.kind != "user":
            return principal
        require_own_name(principal.name)
        groups = frozenset(str(name) for name in model.get("groups") or ())
        admission = self._admitted.get(principal.name)
        if admission is None or admission.until < time.monotonic() or admission.groups != groups:
            admission = await self._look(principal.name, groups, admin=bool(model.get("admin")))
            self._remember(principal.name, admission)
        return replace(principal, workspaces=dict(admission.workspaces), roles=admission.roles)

    def _remember(self, user: str, admission: _Admission) -> None:
        if len(self._admitted) > 10_000:
            now = time.monotonic()
            self._admitted = {name: kept for name, kept in self._admitted.items() if kept.until > now}
        self._admitted[user] = admission

    async def _look(self, user: str, groups: Set[str], *, admin: bool) -> _Admission:
        async with self._database.read() as session:
            row = await self._user(session, user)
            where = await self._belonging(session, user, groups)
        if row is not None:
            require_thawed(row)
        if row is None or where.adopt or where.drop or not row.last_seen or utcnow() - row.last_seen > REFRESH:
            hub_user = await self._ask_hub(user)
            async with self._database.write() as session:
                row = await self._note(session, user, admin=admin, hub_user=hub_user)
                # Again, under the write lock: the rows may have moved meanwhile.
                where = await self._belonging(session, user, groups)
                await self.workspaces.learn(session, user, adopt=where.adopt, drop=where.drop)
        return _Admission(
            until=time.monotonic() + CACHE_SECONDS,
            groups=groups,
            workspaces=dict(where.workspaces),
            roles=frozenset(row.roles),
        )

    async def _ask_hub(self, user: str) -> HubUser | None:
        try:
            return await self._hub.user(user)
        except Problem:
            return None  # roles stay as they were

    async def _note(self, session: AsyncSession, user: str, *, admin: bool, hub_user: HubUser | None) -> UserRow:
        try:
            async with session.begin_nested():
                if not await self.is_user(session, user):
                    session.add(UserRow(name=user, roles=[]))
        except IntegrityError:
            pass  # another replica was quicker
        row = await self._known_user(session, user)
        row.admin = admin
        if hub_user is not None:
            row.roles = sorted(hub_user.roles)
        row.last_seen = utcnow()
        await session.flush()
        return row

    async def _belonging(self, session: AsyncSession, user: str, groups: Set[str]) -> Belonging:
        roles = dict(
            (await session.execute(select(MemberRow.workspace, MemberRow.role).where(MemberRow.user == user))).all()
        )
        rows = await session.scalars(select(WorkspaceRow).where(WorkspaceRow.name.in_([user, *groups, *roles])))
        known = {row.name: Known(role=roles.get(row.name), deleted=row.deleted, synced=row.synced) for row in rows}
        if user in known and not known[user].deleted:
            raise Forbidden(
                f"Your user name '{user}' is the name of a workspace: ask an admin to give you another user name."
            )
        groups = groups - {FROZEN_GROUP, PLATFORM_WORKSPACE}
        strange = groups - set(known)
        taken = (
            set(await session.scalars(select(UserRow.name).where(UserRow.name.in_(strange)))) if strange else set[str]()
        )
        known.pop(user, None)
        return belonging(user, groups=groups, known=known, taken=taken | {user}, now=utcnow())

    async def principal_of(self, session: AsyncSession, *, user: str, field: str = "user") -> Principal:
        """Return `user` as a caller with everything a user may do (a Hub service acts in their name).

        Raise `Forbidden` for a frozen one. One who has not been here yet belongs to the personal workspace only.
        """
        require_own_name(user, field=field)
        row = await self._user(session, user)
        if row is not None:
            require_thawed(row, field=field)
        rows = await session.execute(
            select(MemberRow.workspace, MemberRow.role)
            .join(WorkspaceRow, WorkspaceRow.name == MemberRow.workspace)
            .where(MemberRow.user == user, WorkspaceRow.deleted.is_(False))
        )
        return Principal(
            name=user,
            token=f"user:{user}",
            scopes=frozenset(f"{PREFIX}{module}:{verb}" for module in MODULES for verb in ("read", "write")),
            workspaces={**dict(rows.all()), user: "owner"},
            roles=frozenset(row.roles if row else ()),
        )

    async def is_user(self, session: AsyncSession, name: str) -> bool:
        """Tell whether somebody of that name has been here."""
        return await session.scalar(select(UserRow.id).where(UserRow.name == name)) is not None

    async def require_workspace(self, session: AsyncSession, name: str, *, field: str) -> None:
        """Raise `Invalid` unless a workspace (a personal one included) of that name exists."""
        if not await self.workspaces.exists(session, name) and not await self.is_user(session, name):
            raise Invalid(f"There is no workspace '{name[:80]}'.", field=field)

    # -- the caller and the users -----------------------------------------------------------------------------

    async def me(self, session: AsyncSession, principal: Principal) -> Me:
        """Return the caller as the platform sees them."""
        row = await self._user(session, principal.name) if principal.kind == "user" else None
        return Me(
            name=principal.name,
            kind=principal.kind,
            display_name=row.display_name if row else "",
            admin=principal.admin("accounts"),
            scopes=sorted(scope for scope in principal.scopes if scope.startswith(PREFIX)),
            roles=sorted(principal.roles),
            workspaces=[
                Membership(workspace=name, role=role, personal=name == principal.name)
                for name, role in sorted(
                    principal.workspaces.items(), key=lambda item: (item[0] != principal.name, item[0])
                )
            ],
            revision=row.revision if row else 1,
        )

    async def patch_me(
        self, session: AsyncSession, principal: Principal, *, patch: ProfilePatch, if_match: int | None
    ) -> Me:
        """Change the caller's own profile."""
        row = await self._user(session, principal.name)
        if principal.kind != "user" or row is None:
            raise Invalid("Only a user has a profile.", field="display_name")
        check_revision(row.revision, if_match)
        row.display_name = patch.display_name
        row.revision += 1
        await session.flush()
        return await self.me(session, principal)

    async def list_users(self, session: AsyncSession, _principal: Principal, *, query: UserQuery) -> Page[User]:
        """Return everybody who has been here or was made here, newest first."""
        statement = select(UserRow)
        if query.frozen is not None:
            statement = statement.where(UserRow.frozen.is_(query.frozen))
        if query.admin is not None:
            statement = statement.where(UserRow.admin.is_(query.admin))
        if query.q:
            named = (column.icontains(query.q, autoescape=True) for column in (UserRow.name, UserRow.display_name))
            statement = statement.where(or_(*named))
        rows, following = await paginate(session, statement, key=UserRow.id, query=query)
        return Page(items=[User.model_validate(row) for row in rows], next=following)

    async def get_user(self, session: AsyncSession, _principal: Principal, *, name: str) -> User:
        """Return one user; raise `NotFound`."""
        return User.model_validate(await self._known_user(session, name))

    async def freeze(
        self, session: AsyncSession, principal: Principal, *, name: str, reason: str, if_match: int | None
    ) -> User:
        """Shut a user out and have what they run stopped.

        Call `sync.push_user` once this is committed; it is repeated until it has worked.
        """
        row = await self._known_user(session, name)
        check_revision(row.revision, if_match)
        if name == principal.name:
            raise Conflict("You cannot freeze yourself: ask another admin.", field="user")
        row.frozen, row.frozen_reason, row.frozen_by, row.synced = True, reason, principal.name, False
        row.revision += 1
        if self.stop_workloads is not None:
            await self.stop_workloads(session, principal, user=name)
        self.forget(name)
        return User.model_validate(row)

    async def thaw(self, session: AsyncSession, _principal: Principal, *, name: str, if_match: int | None) -> User:
        """Let a frozen user in again; they log in anew. Call `sync.push_user` once this is committed."""
        row = await self._known_user(session, name)
        check_revision(row.revision, if_match)
        row.frozen, row.frozen_reason, row.frozen_by, row.synced = False, "", "", False
        row.revision += 1
        self.forget(name)
        return User.model_validate(row)

    async def _user(self, session: AsyncSession, name: str) -> UserRow | None:
        return await session.scalar(select(UserRow).where(UserRow.name == name))

    async def _known_user(self, session: AsyncSession, name: str) -> UserRow:
        row = await self._user(session, name)
        if row is None:
            raise NotFound(f"No user '{name[:80]}' has been here yet.", field="user")
        return row


def require_own_name(user: str, *, field: str | None = None) -> None:
    """Raise `Forbidden` for a user called like the platform's own workspace."""
    if user == PLATFORM_WORKSPACE:
        raise Forbidden(
            f"The name '{user}' is the platform's own: ask an admin to give you another user name.", field=field
        )


def require_thawed(row: UserRow, *, field: str | None = None) -> None:
    """Raise `Forbidden`, with the reason and who can help, for a frozen user."""
    if row.frozen:
        why = f" ({row.frozen_reason})" if row.frozen_reason else ""
        raise Forbidden(
            f"The account '{row.name}' is frozen{why}: ask an admin to thaw it.", field=field, reason="frozen"
        )
