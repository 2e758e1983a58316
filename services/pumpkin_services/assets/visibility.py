"""Who may see which named things: one clause, used by every list, look-up and by the content store."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.chunks import groups
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.tables import AssetRow, AssetShareRow
from pumpkin_services.principal import Principal

KINDS = ("dataset", "algorithm", "model")


async def visible(
    session: AsyncSession, principal: Principal, *, artifacts: ArtifactService, admin: bool = True
) -> ColumnElement[bool]:
    """Return the clause on `AssetRow` for what the caller may read; `admin` false leaves an admin's rights aside.

    A workload sees what it holds versions of, nothing else. What is taken down is seen by its own workspace.
    """
    if principal.workload is not None:
        return AssetRow.id.in_(await artifacts.held_assets(session, principal.workload))
    workspaces = list(principal.workspaces)
    shared = select(AssetShareRow.asset_id).where(AssetShareRow.workspace.in_(workspaces))
    administered = [kind for kind in KINDS if principal.admin(f"{kind}s")] if admin else []
    return or_(
        AssetRow.workspace.in_(workspaces),
        and_(
            AssetRow.taken_down.is_(None),
            or_(AssetRow.visibility == "everyone", AssetRow.preset, AssetRow.id.in_(shared)),
        ),
        AssetRow.kind.in_(administered) if administered else false(),
    )


class ReadableAssets:
    """`artifacts.access.Readable` over the assets of every kind, within the scopes of the caller's token."""

    def __init__(self, artifacts: ArtifactService) -> None:
        self._artifacts = artifacts

    async def __call__(self, session: AsyncSession, principal: Principal, asset_ids: set[str]) -> set[str]:
        """Return the subset of `asset_ids` the caller may read."""
        kinds = [kind for kind in KINDS if principal.has(f"{kind}s:read")]
        clause = await visible(session, principal, artifacts=self._artifacts)
        found: set[str] = set()
        for group in groups(asset_ids, 500):
            query = select(AssetRow.id).where(AssetRow.id.in_(group), AssetRow.kind.in_(kinds), clause)
            found.update(await session.scalars(query))
        return found
