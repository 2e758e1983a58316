"""The rules of environments: who may make, see, change, share and use them, and how versions come and go.

Building is `builder`'s work; here rows are written and the builder is woken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.images import models as wire
from pumpkin_services.images import rows, views
from pumpkin_services.images.prefixes import Prefixes
from pumpkin_services.images.registration import DEFAULT, Interpreters
from pumpkin_services.images.requirements import compare, lines_of
from pumpkin_services.images.tables import EnvironmentRow, EnvironmentShareRow, EnvironmentVersionRow
from pumpkin_services.images.views import EnvironmentRef
from pumpkin_services.names import PLATFORM_WORKSPACE, Reference
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable, check_revision
from pumpkin_services.web.paging import PageQuery, paginate

TOPIC = "environments"
InUse = Callable[[AsyncSession, list[str]], Awaitable[list[str]]]
"""Given version ids, names the unfinished workloads that use any of them."""


class Workspaces(Protocol):
    """What is asked of accounts."""

    async def require_workspace(self, session: AsyncSession, name: str, *, field: str) -> None:
        """Raise a problem naming `field` unless there is a workspace of this name."""
        ...


class EnvironmentService:
    """Environments and their versions. Methods never commit: the caller's transaction does."""

    def __init__(
        self,
        *,
        database: Database,
        wakeups: Wakeups,
        accounts: Workspaces,
        root: Path,
        in_use: InUse | None = None,
        allow_urls: bool = False,
    ) -> None:
        """Keep files below `root` (`<data>/environments`); `allow_urls` lets requirements name https:// URLs."""
        self.database = database
        self.files = Prefixes(root)
        self.wakeups = wakeups
        self.accounts = accounts
        self.in_use = in_use
        """Set by whoever wires the platform, once workloads exist."""
        self.allow_urls = allow_urls
        self.interpreters = Interpreters(database=database)

    def wake(self, version_id: str | None = None) -> None:
        """Wake the builder, and those who wait for one version."""
        self.wakeups.ring(TOPIC)
        if version_id is not None:
            self.wakeups.ring(f"environment:{version_id}")

    # Environments

    async def create(
        self, session: AsyncSession, principal: Principal, *, request: wire.CreateEnvironment
    ) -> wire.Environment:
        """Make an environment and queue the build of its version 1."""
        workspace = request.workspace or principal.name
        principal.require_write(workspace)
        await rows.require_turn(session, principal)
        lines = lines_of(request, allow_urls=self.allow_urls)
        row = await rows.add_environment(
            session, workspace=workspace, name=request.name, creator=principal.name, kind="built"
        )
        row.description, row.visibility = request.description, request.visibility
        rows.add_version(session, row, creator=principal.name, requirements=lines, python=request.python or "")
        await session.flush()
        return await self._view(session, principal, row)

    def check(self, request: wire.Requirements) -> wire.CheckedRequirements:
        """Return the lines that would be built, while they are still being written; nothing is kept."""
        return wire.CheckedRequirements(requirements=lines_of(request, allow_urls=self.allow_urls))

    async def list(
        self, session: AsyncSession, principal: Principal, *, query: wire.EnvironmentQuery
    ) -> wire.EnvironmentPage:
        """Return a page of what the caller may use, newest first."""
        if query.view == "everything" and not principal.admin("images"):
            raise Forbidden("Only image admins list other people's environments.", field="view")
        wanted = select(EnvironmentRow)
        if query.view == "taken_down":
            wanted = wanted.where(EnvironmentRow.taken_down.is_not(None))
        if query.view != "everything" and not (query.view == "taken_down" and principal.admin("images")):
            wanted = wanted.where(rows.usable(principal))
        if query.view in ("mine", "shared"):
            mine = EnvironmentRow.workspace.in_(list(principal.workspaces))
            wanted = wanted.where(mine if query.view == "mine" else ~mine)
        if query.view == "preset":
            wanted = wanted.where(EnvironmentRow.preset.is_(True))
        if query.workspace is not None:
            wanted = wanted.where(EnvironmentRow.workspace == query.workspace)
        if query.name is not None:
            wanted = wanted.where(EnvironmentRow.name == query.name)
        if query.kind is not None:
            wanted = wanted.where(EnvironmentRow.kind == query.kind)
        if query.q:
            wanted = wanted.where(EnvironmentRow.name.contains(query.q.lower(), autoescape=True))
        found, following = await paginate(session, wanted, key=EnvironmentRow.id, query=query)
        return wire.EnvironmentPage(items=await views.environments(session, principal, found), next=following)

    async def get(self, session: AsyncSession, principal: Principal, *, environment: str) -> wire.Environment:
        """Return one environment the caller may use or administers."""
        return await self._view(session, principal, await rows.visible(session, principal, environment))

    async def edit(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        environment: str,
        request: wire.EditEnvironment,
        revision: int | None,
    ) -> wire.Environment:
        """Change description, visibility or sharing; `revision` is If-Match's."""
        row = await rows.writable(session, principal, environment)
        check_revision(row.revision, revision)
        if request.description is not None:
            row.description = request.description
        if request.visibility is not None:
            row.visibility = request.visibility
        if request.preset:
            row.require_up("offer it to everybody")
        if request.preset is not None and request.preset != row.preset:
            if not principal.admin("images"):
                raise Forbidden("Only image admins choose the platform's own environments.", field="preset")
            row.preset = request.preset
        return await self._touched(session, principal, row)

    async def share(
        self, session: AsyncSession, principal: Principal, *, environment: str, target: str, shared: bool
    ) -> wire.Environment:
        """Let the workspace `target` use an environment, or no longer."""
        row = await rows.writable(session, principal, environment)
        if shared:
            await self.accounts.require_workspace(session, target, field="target")
        present = await session.get(EnvironmentShareRow, (row.id, target))
        if shared and present is None and target != row.workspace:
            session.add(EnvironmentShareRow(environment=row.id, workspace=target))
        if not shared and present is not None:
            await session.delete(present)
        return await self._touched(session, principal, row)

    async def take_down(
        self, session: AsyncSession, principal: Principal, *, environment: str, reason: str
    ) -> wire.Environment:
        """Hide an environment from everybody but its workspace, which is told why. What runs on it runs on."""
        row = await rows.visible(session, principal, environment)
        if row.workspace == PLATFORM_WORKSPACE:
            raise Conflict("It is the platform's own, which no workspace could use any more: delete it instead.")
        row.take_down(principal, reason)
        return await self._touched(session, principal, row)

    async def restore(self, session: AsyncSession, principal: Principal, *, environment: str) -> wire.Environment:
        """Show an environment again that was taken down; one that was not stays as it is."""
        row = await rows.visible(session, principal, environment)
        row.restore()
        return await self._touched(session, principal, row)

    async def delete(
        self, session: AsyncSession, principal: Principal, *, environment: str, revision: int | None = None
    ) -> None:
        """Delete an environment with all its versions; refused while an unfinished workload uses one."""
        row = await rows.writable(session, principal, environment)
        check_revision(row.revision, revision)
        versions = (
            await session.scalars(
                select(EnvironmentVersionRow).where(
                    EnvironmentVersionRow.environment == row.id, EnvironmentVersionRow.state != "deleted"
                )
            )
        ).all()
        await self._require_unused(session, [version.id for version in versions])
        for version in versions:
            rows.mark_deleted(version)
        await session.execute(delete(EnvironmentShareRow).where(EnvironmentShareRow.environment == row.id))
        await session.delete(row)

    # Versions

    async def versions(
        self, session: AsyncSession, principal: Principal, *, environment: str, query: PageQuery
    ) -> wire.VersionPage:
        """Return a page of an environment's versions, newest first, deleted ones included."""
        row = await rows.visible(session, principal, environment)
        wanted = select(EnvironmentVersionRow).where(EnvironmentVersionRow.environment == row.id)
        found, following = await paginate(session, wanted, key=EnvironmentVersionRow.id, query=query)
        return wire.VersionPage(items=[views.summary(version) for version in found], next=following)

    async def version(
        self, session: AsyncSession, principal: Principal, *, environment: str, number: int
    ) -> wire.EnvironmentVersion:
        """Return one version in full."""
        row = await rows.visible(session, principal, environment)
        return views.full(await rows.numbered(session, row, number))

    async def add_version(
        self, session: AsyncSession, principal: Principal, *, environment: str, request: wire.Requirements
    ) -> wire.EnvironmentVersion:
        """Queue the build of the next version from requirements."""
        row = await rows.writable(session, principal, environment)
        _require_built(row)
        await rows.require_turn(session, principal)
        lines = lines_of(request, allow_urls=self.allow_urls)
        version = rows.add_version(
            session, row, creator=principal.name, requirements=lines, python=request.python or ""
        )
        await self._touched(session, principal, row)
        return views.full(version)

    async def delete_version(
        self, session: AsyncSession, principal: Principal, *, environment: str, number: int
    ) -> str:
        """Delete one version (its build is stopped) and return its id; refused while a workload uses it."""
        row = await rows.writable(session, principal, environment)
        version = await rows.numbered(session, row, number)
        if version.state != "deleted":
            await self._require_unused(session, [version.id])
            rows.mark_deleted(version)
        return version.id

    async def retry(
        self, session: AsyncSession, principal: Principal, *, environment: str, number: int
    ) -> wire.EnvironmentVersion:
        """Queue a failed version again: from its lock when it has one, else from its requirements."""
        row = await rows.writable(session, principal, environment)
        version = await rows.numbered(session, row, number)
        if version.state != "failed":
            raise Conflict(f"Version {number} is {version.state}: only a failed version is built again.")
        version.state, version.reason, version.message, version.finished = "queued", "", "", None
        await session.flush()
        return views.full(version)

    # Saving a notebook's environment

    async def difference(
        self, session: AsyncSession, principal: Principal, *, environment: str, request: wire.Installed
    ) -> wire.Difference:
        """Compare what a notebook has installed with the version it runs on."""
        row = await rows.visible(session, principal, environment)
        version = await rows.numbered(session, row, request.version or row.latest)
        difference, _ = compare(request.packages, version.packages, allow_urls=self.allow_urls)
        return difference.model_copy(update={"against": version.number})

    async def freeze(
        self, session: AsyncSession, principal: Principal, *, environment: str, request: wire.FreezeEnvironment
    ) -> wire.EnvironmentVersion:
        """Keep what a notebook has installed: a new version here, or of the caller's environment `name`."""
        row = await rows.visible(session, principal, environment)
        version = await rows.numbered(session, row, request.version or row.latest)
        difference, lines = compare(request.packages, version.packages, allow_urls=self.allow_urls)
        if difference.refused and not request.leave_out_refused:
            first = difference.refused[0]
            raise Invalid(
                f"{len(difference.refused)} installed packages cannot be kept, the first is {first.line} ({first.why}) "
                "Uninstall them, or send leave_out_refused to keep the rest.",
                field="packages",
            )
        await rows.require_turn(session, principal)
        target = await self._freeze_target(session, principal, row, request)
        made = rows.add_version(session, target, creator=principal.name, requirements=lines, python=_minor(version))
        await self._touched(session, principal, target)
        return views.full(made)

    async def _freeze_target(
        self, session: AsyncSession, principal: Principal, row: EnvironmentRow, request: wire.FreezeEnvironment
    ) -> EnvironmentRow:
        if request.name is None:
            target = await rows.writable(session, principal, row.id)
        else:
            workspace = request.workspace or principal.name
            principal.require_write(workspace)
            found = await rows.named(session, workspace, request.name)
            target = found or await rows.add_environment(
                session, workspace=workspace, name=request.name, creator=principal.name, kind="built"
            )
        _require_built(target)
        return target

    # Use by workloads

    async def resolve(
        self, session: AsyncSession, principal: Principal, *, reference: str | None, field: str
    ) -> EnvironmentRef:
        """Return the version a reference means to the caller; None means the platform's default.

        Without a number it is the newest version that has not failed; it may still be building (see
        `ensure_ready`). Raises `NotFound`, or `Invalid` naming `field` for an ambiguous name or a failed version.
        """
        wanted = Reference.parse(reference or f"{PLATFORM_WORKSPACE}/{DEFAULT}", field=field)
        row = await rows.find(session, principal, wanted, field=field)
        if wanted.version is not None:
            version = await rows.numbered(session, row, wanted.version, field=field)
        else:
            version = await rows.newest(session, row, states=("queued", "building", "ready"))
            version = version or await rows.numbered(session, row, row.latest, field=field)
        if version.state == "failed":
            raise Invalid(
                f"Version {version.number} of '{row.name}' could not be built: {version.message} "
                "Build it again or choose another version.",
                field=field,
            )
        if version.state == "deleted":
            raise NotFound(f"Version {version.number} of '{row.name}' was deleted: choose another.", field=field)
        return views.reference(row, version)

    async def usable_kernels(self, session: AsyncSession, principal: Principal) -> Sequence[EnvironmentRef]:
        """Return the newest ready version with ipykernel of every environment the caller may use, by name."""
        last = (
            select(EnvironmentVersionRow.environment, func.max(EnvironmentVersionRow.number).label("number"))
            .where(EnvironmentVersionRow.state == "ready")
            .group_by(EnvironmentVersionRow.environment)
            .subquery()
        )
        found = await session.execute(
            select(EnvironmentRow, EnvironmentVersionRow)
            .join(last, last.c.environment == EnvironmentRow.id)
            .join(
                EnvironmentVersionRow,
                and_(
                    EnvironmentVersionRow.environment == last.c.environment,
                    EnvironmentVersionRow.number == last.c.number,
                ),
            )
            .where(rows.usable(principal))
            .order_by(EnvironmentRow.name, EnvironmentRow.id)
        )
        refs = [views.reference(row, version) for row, version in found]
        return [ref for ref in refs if ref.kernel]

    async def ensure_ready(self, version_id: str) -> EnvironmentRef:
        """Wait until a version is built and its folder is there; raise `Unavailable` when it failed or is gone.

        A folder that was lost is built again from the version's lock. May take as long as a build does:
        never call it inside a transaction.
        """
        while (ref := await self.if_ready(version_id)) is None:
            await self.wakeups.wait(f"environment:{version_id}", timeout=1.0)
        return ref

    async def if_ready(self, version_id: str) -> EnvironmentRef | None:
        """Return what `ensure_ready` does, None while it is built; has it built again if its folder was lost."""
        async with self.database.read() as session:
            version = await session.get(EnvironmentVersionRow, version_id)
            row = version and await session.get(EnvironmentRow, version.environment)
        if version is None or row is None or version.state == "deleted":
            raise Unavailable("The environment was deleted meanwhile: choose another.", reason="environment_gone")
        if version.state == "failed":
            raise Unavailable(
                f"The environment {row.name}@{version.number} could not be built: {version.message}",
                reason="environment_failed",
            )
        ref = views.reference(row, version)
        if ref.python is None:
            return None
        if not ref.python.exists():
            await self._rebuild(ref)
            return None
        return ref

    def built(self, ref: EnvironmentRef) -> bool:
        """Tell whether a ready version was built by the platform, and is no interpreter that was there."""
        return ref.prefix == self.files.prefix(ref.digest)

    async def _rebuild(self, ref: EnvironmentRef) -> None:
        async with self.database.write() as session:
            version = await session.get_one(EnvironmentVersionRow, ref.version_id)
            row = await session.get_one(EnvironmentRow, ref.environment_id)
            if version.state != "ready":
                return
            if row.kind == "interpreter":
                version.state, version.reason = "failed", "not_found"
                version.message = f"There is no interpreter at {version.python} any more."
            else:
                version.state = "queued"
        self.wake(ref.version_id)

    # Rows

    async def held(self, session: AsyncSession, workspace: str) -> str:
        """Return in words how many environments a workspace has, "" for none."""
        count = await session.scalar(select(func.count()).where(EnvironmentRow.workspace == workspace))
        return f"{count} environment{'' if count == 1 else 's'}" if count else ""

    async def _require_unused(self, session: AsyncSession, versions: Sequence[str]) -> None:
        users = await self.in_use(session, list(versions)) if self.in_use is not None and versions else []
        if users:
            raise Conflict(
                f"It is in use by {', '.join(sorted(users)[:5])}{' and others' if len(users) > 5 else ''}: "
                "stop that first.",
                reason="in_use",
            )

    async def _touched(self, session: AsyncSession, principal: Principal, row: EnvironmentRow) -> wire.Environment:
        row.revision += 1
        await session.flush()
        return await self._view(session, principal, row)

    async def _view(self, session: AsyncSession, principal: Principal, row: EnvironmentRow) -> wire.Environment:
        return (await views.environments(session, principal, [row]))[0]


def _require_built(row: EnvironmentRow) -> None:
    if row.kind != "built":
        raise Conflict(
            f"'{row.name}' is an existing interpreter, nothing is built into it: "
            "save under a name of your own, or create an environment."
        )


def _minor(version: EnvironmentVersionRow) -> str:
    """Return the Python to keep when a version is frozen: the one asked for, else the version's own minor release."""
    return version.python_request or ".".join(version.python_version.split(".")[:2])
