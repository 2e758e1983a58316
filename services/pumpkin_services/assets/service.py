"""The rules datasets, algorithms and models share; each kind is a subclass that says what is its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.access import Kind, Owned
from pumpkin_services.artifacts.models import Version
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.models import Asset, AssetCreate, AssetPatch, AssetQuery
from pumpkin_services.assets.retention import Ancestors, RetentionPreview, RetentionRule, preview
from pumpkin_services.assets.tables import AssetLabelRow, AssetRow, AssetShareRow
from pumpkin_services.assets.visibility import ReadableAssets, visible
from pumpkin_services.db import utcnow
from pumpkin_services.names import Reference
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, check_revision
from pumpkin_services.web.paging import Page, paginate

_Wires = list[Asset]  # `list` is a method below


class RequireWorkspace(Protocol):
    """Raises `Invalid`, naming `field`, unless there is such a workspace."""

    async def __call__(self, session: AsyncSession, name: str, *, field: str) -> None:
        """Check it."""
        ...


@dataclass(frozen=True, kw_only=True)
class VersionRef:
    """The version a reference means. `id` is the version's; `reference` names it for good."""

    id: str
    kind: Kind
    asset_id: str
    workspace: str
    name: str
    number: int
    files: int
    bytes: int

    @property
    def reference(self) -> str:
        """`workspace/name@number`."""
        return f"{self.workspace}/{self.name}@{self.number}"


async def _no_ancestors(_session: AsyncSession, _owned: Owned) -> set[int]:
    return set()


class AssetService:
    """Named things of one kind. Implements `artifacts.access.Access`.

    `ancestors` tells which versions models were made from: the composition sets it once the models exist.
    """

    kind: Kind
    wire: type[Asset]
    wire_create: type[AssetCreate]
    wire_patch: type[AssetPatch]
    wire_query: type[AssetQuery]
    facets: tuple[str, ...]
    """The fields this kind has beyond the shared ones: columns of `AssetRow`."""

    def __init__(self, *, artifacts: ArtifactService, require_workspace: RequireWorkspace) -> None:
        self.artifacts = artifacts
        self._require_workspace = require_workspace
        self.ancestors: Ancestors = _no_ancestors
        artifacts.set_readable(ReadableAssets(artifacts))

    @property
    def module(self) -> str:
        """The word of the URL and of the scopes: `datasets`."""
        return f"{self.kind}s"

    async def held(self, session: AsyncSession, workspace: str) -> str:
        """Return in words how many things of this kind a workspace has, "" for none."""
        mine = select(func.count()).where(AssetRow.kind == self.kind, AssetRow.workspace == workspace)
        count = await session.scalar(mine)
        return f"{count} {self.kind}{'' if count == 1 else 's'}" if count else ""

    async def list(self, session: AsyncSession, principal: Principal, *, query: AssetQuery) -> Page[Any]:
        """List what the caller may see, newest first."""
        clause = await visible(session, principal, artifacts=self.artifacts)
        found = select(AssetRow).where(AssetRow.kind == self.kind, clause)
        if query.workspace is not None:
            found = found.where(AssetRow.workspace == query.workspace)
        if query.name is not None:
            found = found.where(AssetRow.name == query.name)
        if query.q:
            found = found.where(AssetRow.name.icontains(query.q, autoescape=True))
        if query.label is not None:
            labelled = exists().where(AssetLabelRow.asset_id == AssetRow.id, AssetLabelRow.label == query.label)
            found = found.where(labelled)
        own = AssetRow.workspace.in_(list(principal.workspaces))
        if query.view != "all":
            views = {"mine": own, "shared": ~own & ~AssetRow.preset, "preset": AssetRow.preset}
            found = found.where((views | {"taken_down": AssetRow.taken_down.is_not(None)})[query.view])
        for facet in self.facets:
            value = getattr(query, facet, None)
            if value is not None:
                found = found.where(getattr(AssetRow, facet) == value)
        rows, following = await paginate(session, found, key=AssetRow.id, query=query)
        return Page[self.wire](items=await self._wires(session, principal, rows), next=following)

    async def create(self, session: AsyncSession, principal: Principal, *, request: AssetCreate) -> Asset:
        """Make an empty thing in one of the caller's workspaces."""
        workspace = request.workspace or principal.name
        if not principal.admin(self.module) or workspace in principal.workspaces:
            principal.require_write(workspace)
        else:
            await self._require_workspace(session, workspace, field="workspace")
        row = AssetRow(
            kind=self.kind,
            workspace=workspace,
            name=request.name,
            creator=principal.name,
            description=request.description,
            visibility=request.visibility,
            **{facet: getattr(request, facet) for facet in self.facets},
        )
        await self._add(session, row)
        await self._set_labels(session, row.id, request.labels)
        return await self._wire(session, principal, row)

    async def _add(self, session: AsyncSession, row: AssetRow) -> None:
        taken = Conflict(
            f"The workspace '{row.workspace}' has another {self.kind} called '{row.name}': "
            "upload a new version of it, or choose another name.",
            field="name",
            reason="name_taken",
        )
        if await self._row(session, row.workspace, row.name) is not None:
            raise taken
        session.add(row)
        try:
            await session.flush()
        except IntegrityError as error:
            raise taken from error

    async def get(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Asset:
        """Return one thing; raise `NotFound` unless the caller may see it."""
        row = await self._seen(session, principal, workspace, name)
        return await self._wire(session, principal, row)

    async def patch(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        workspace: str,
        name: str,
        request: AssetPatch,
        if_match: int | None,
    ) -> Asset:
        """Change what `request` gives."""
        row = await self._changeable(session, principal, workspace, name)
        check_revision(row.revision, if_match)
        if request.preset is not None and request.preset != row.preset and not principal.admin(self.module):
            raise Forbidden("Only an admin offers presets: ask one.", field="preset")
        if request.preset:
            row.require_up("offer it to everybody")
        for field in ("description", "visibility", "preset", *self.facets):
            value = getattr(request, field)
            if value is not None:
                setattr(row, field, value)
        if request.labels is not None:
            await self._set_labels(session, row.id, request.labels)
        return await self._changed(session, principal, row)

    async def set_retention(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        workspace: str,
        name: str,
        rule: RetentionRule,
        if_match: int | None,
    ) -> Asset:
        """Set which versions of a thing are kept; the others go by and by."""
        row = await self._changeable(session, principal, workspace, name)
        check_revision(row.revision, if_match)
        row.keep_last, row.keep_days = rule.keep_last, rule.keep_days
        return await self._changed(session, principal, row)

    async def preview_retention(
        self, session: AsyncSession, principal: Principal, *, workspace: str, name: str, rule: RetentionRule
    ) -> RetentionPreview:
        """Return what `rule` would remove of a thing now; nothing changes."""
        owned = await self.writable(session, principal, workspace=workspace, name=name)
        return await preview(session, owned, rule, ancestors=self.ancestors)

    async def take_down(
        self, session: AsyncSession, principal: Principal, *, workspace: str, name: str, reason: str
    ) -> Asset:
        """Hide a thing from everybody but its workspace, which is told why. What runs keeps its inputs."""
        row = await self._seen(session, principal, workspace, name)
        row.take_down(principal, reason)
        return await self._changed(session, principal, row)

    async def restore(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Asset:
        """Show a thing again that was taken down; one that was not stays as it is."""
        row = await self._seen(session, principal, workspace, name)
        row.restore()
        return await self._changed(session, principal, row)

    async def delete(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> None:
        """Delete a thing with all its versions; raise `Conflict` while a workload holds one."""
        row = await self._changeable(session, principal, workspace, name)
        await self.artifacts.delete_all(session, row.id)
        await session.delete(row)

    async def share(
        self, session: AsyncSession, principal: Principal, *, workspace: str, name: str, target: str
    ) -> Asset:
        """Let the people of the workspace `target` read a thing."""
        row = await self._changeable(session, principal, workspace, name)
        if target == workspace:
            raise Invalid("It belongs to this workspace already: name another.", field="target")
        await self._require_workspace(session, target, field="target")
        if await session.get(AssetShareRow, (row.id, target)) is None:
            session.add(AssetShareRow(asset_id=row.id, workspace=target))
        return await self._changed(session, principal, row)

    async def unshare(
        self, session: AsyncSession, principal: Principal, *, workspace: str, name: str, target: str
    ) -> Asset:
        """End the sharing with `target`; that there was none is no error."""
        row = await self._changeable(session, principal, workspace, name)
        share = delete(AssetShareRow).where(AssetShareRow.asset_id == row.id, AssetShareRow.workspace == target)
        await session.execute(share)
        return await self._changed(session, principal, row)

    async def resolve(self, session: AsyncSession, principal: Principal, reference: str, *, field: str) -> VersionRef:
        """Return the version `name`, `name@3` or `workspace/name@3` means to the caller.

        A bare name is looked for in the caller's own workspace, then in the caller's other workspaces,
        then in what is shared.

        Raises:
            Invalid: naming `field`: no such thing or version, or several with this name.
        """
        parsed = Reference.parse(reference, field=field)
        row = await self._resolve_asset(session, principal, parsed, field=field)
        number = "latest" if parsed.version is None else str(parsed.version)
        try:
            version = await self.artifacts.reads.find(session, owned=self._owned(row), number=number)
        except NotFound as error:
            raise Invalid(error.detail, field=field, reason="unknown_version") from error
        return self._reference(row, Version.model_validate(version))

    async def _resolve_asset(
        self, session: AsyncSession, principal: Principal, parsed: Reference, *, field: str
    ) -> AssetRow:
        clause = await visible(session, principal, artifacts=self.artifacts, admin=parsed.workspace is not None)
        query = select(AssetRow).where(AssetRow.kind == self.kind, AssetRow.name == parsed.name, clause)
        if parsed.workspace is not None:
            query = query.where(AssetRow.workspace == parsed.workspace)
        rows = list(await session.scalars(query.order_by(AssetRow.workspace)))
        own = [row for row in rows if row.workspace == principal.name]
        joined = [row for row in rows if row.workspace in principal.workspaces]
        found = own or joined or rows
        if not found:
            raise Invalid(
                f"There is no {self.kind} '{parsed}' that you may use: see `{self.module}` for those there are.",
                field=field,
                reason=f"unknown_{self.kind}",
            )
        if len(found) > 1:
            candidates = [f"{row.workspace}/{row.name}" for row in found[:10]]
            raise Invalid(
                f"'{parsed.name}' could be {' or '.join(candidates)}: write which.",
                field=field,
                reason="ambiguous",
                candidates=candidates,
            )
        return found[0]

    async def readable(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Owned:
        """Return a thing the caller may see."""
        return self._owned(await self._seen(session, principal, workspace, name))

    async def writable(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Owned:
        """Return a thing the caller may change."""
        return self._owned(await self._changeable(session, principal, workspace, name))

    async def _row(self, session: AsyncSession, workspace: str, name: str) -> AssetRow | None:
        query = select(AssetRow).where(AssetRow.kind == self.kind, AssetRow.workspace == workspace)
        return await session.scalar(query.where(AssetRow.name == name))

    async def _seen(self, session: AsyncSession, principal: Principal, workspace: str, name: str) -> AssetRow:
        clause = await visible(session, principal, artifacts=self.artifacts)
        query = select(AssetRow).where(
            AssetRow.kind == self.kind, AssetRow.workspace == workspace, AssetRow.name == name, clause
        )
        row = await session.scalar(query)
        if row is None:
            raise NotFound(f"There is no {self.kind} '{workspace[:80]}/{name[:80]}' that you may see.")
        return row

    async def _changeable(self, session: AsyncSession, principal: Principal, workspace: str, name: str) -> AssetRow:
        row = await self._seen(session, principal, workspace, name)
        if principal.workload is not None:
            raise Forbidden("A workload changes nothing but its own outputs.")
        if not principal.admin(self.module):
            principal.require_write(row.workspace)
        return row

    async def _changed(self, session: AsyncSession, principal: Principal, row: AssetRow) -> Asset:
        row.revision += 1
        row.updated = utcnow()
        await session.flush()
        return await self._wire(session, principal, row)

    async def _set_labels(self, session: AsyncSession, asset_id: str, labels: Sequence[str]) -> None:
        await session.execute(delete(AssetLabelRow).where(AssetLabelRow.asset_id == asset_id))
        session.add_all(AssetLabelRow(asset_id=asset_id, label=label) for label in labels)
        await session.flush()

    async def _wire(self, session: AsyncSession, principal: Principal, row: AssetRow) -> Asset:
        return (await self._wires(session, principal, [row]))[0]

    async def _wires(self, session: AsyncSession, principal: Principal, rows: Sequence[AssetRow]) -> _Wires:
        ids = [row.id for row in rows]
        labels: dict[str, list[str]] = {asset_id: [] for asset_id in ids}
        shares: dict[str, list[str]] = {asset_id: [] for asset_id in ids}
        for label in await session.scalars(select(AssetLabelRow).where(AssetLabelRow.asset_id.in_(ids))):
            labels[label.asset_id].append(label.label)
        for share in await session.scalars(select(AssetShareRow).where(AssetShareRow.asset_id.in_(ids))):
            shares[share.asset_id].append(share.workspace)
        latest = await self.artifacts.latest(session, ids)
        wires: _Wires = []
        for row in rows:
            newest, count = latest.get(row.id, (None, 0))
            admin = principal.admin(self.module)
            member = admin or row.workspace in principal.workspaces
            values = {name: getattr(row, name) for name in (*_COLUMNS, *self.facets)}
            values |= {"labels": sorted(labels[row.id]), "shared_with": sorted(shares[row.id]) if member else []}
            values |= {"may_write": admin or principal.may_write(row.workspace), "versions": count}
            values |= {"latest": newest.number if newest else None, "bytes": newest.bytes if newest else 0}
            values["taken_down"] = row.notice()
            wires.append(self.wire.model_validate(values))
        return wires

    def _owned(self, row: AssetRow) -> Owned:
        return Owned(kind=self.kind, asset_id=row.id, workspace=row.workspace, name=row.name)

    def _reference(self, row: AssetRow, version: Version) -> VersionRef:
        return VersionRef(
            id=version.id,
            kind=self.kind,
            asset_id=row.id,
            workspace=row.workspace,
            name=row.name,
            number=version.number or 0,
            files=version.files,
            bytes=version.bytes,
        )


_COLUMNS = (
    "id",
    "workspace",
    "name",
    "creator",
    "description",
    "visibility",
    "preset",
    "keep_last",
    "keep_days",
    "created",
    "updated",
    "revision",
)
