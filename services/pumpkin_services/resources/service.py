"""Rules of specs and pools: what is offered, to whom, and whether it can ever fit."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import table
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, check_revision
from pumpkin_services.resources.limits import LimitService
from pumpkin_services.resources.models import (
    Kind,
    Pool,
    PoolCreate,
    PoolPatch,
    Spec,
    SpecCreate,
    SpecPatch,
    SpecQuery,
    UsageItem,
)
from pumpkin_services.resources.nodes import NodeService
from pumpkin_services.resources.shapes import Demand, NodeCapacity, describe, place, place_one, seed_specs
from pumpkin_services.resources.shares import PoolShare, check_parent, check_shares, pool_shares
from pumpkin_services.resources.tables import PoolRow, SpecRow
from pumpkin_services.web import Page, PageQuery, paginate

_SPECS, _POOLS = table(SpecRow), table(PoolRow)
SPECS = select(_SPECS).order_by(_SPECS.c.name)
POOLS = select(_POOLS).order_by(_POOLS.c.priority.desc(), _POOLS.c.id)
SHARES = ("guarantee_percent", "deserved_percent", "reclaimable", "parent")
"""The fields of a pool that say what it gets beside others."""
UsagePort = Callable[[AsyncSession], Awaitable[list[UsageItem]]]


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A spec somebody may use, the pool it comes from and the nodes of that pool (drained and silent ones too)."""

    spec: Spec
    pool: str
    nodes: tuple[NodeCapacity, ...]

    @property
    def demand(self) -> Demand:
        """What one replica of it asks for."""
        return Demand(
            cpu_milli=self.spec.cpu_milli,
            memory=self.spec.memory,
            accelerators=self.spec.accelerators,
            accelerator_type=self.spec.accelerator_type,
            nodes=frozenset(node.name for node in self.nodes),
        )

    @property
    def possible(self) -> bool:
        """Whether some node of the pool could ever hold one replica."""
        return any(place_one(node, self.demand) for node in self.nodes)


async def _nothing_used(_session: AsyncSession) -> list[UsageItem]:
    return []


class ResourceService:
    """Specs and pools; `nodes` and `limits` hold the rules of theirs.

    `usage` tells what every replica holds right now: the application sets it to the workloads' answer. With `shares`
    the line is a cluster's, whose queues know what one pool gets beside another.
    """

    def __init__(self, *, shares: bool = False) -> None:
        self._shares = shares
        self.nodes = NodeService()
        self.limits = LimitService()
        self.usage: UsagePort = _nothing_used

    async def capacity(self, session: AsyncSession) -> list[NodeCapacity]:
        """Return what workloads may have of every node; drained and silent ones are marked, not left out."""
        return await self.nodes.capacity(session)

    async def pool_shares(self, session: AsyncSession) -> dict[str, PoolShare]:
        """Return each pool's nodes and share, disabled pools too: what was admitted to one may still start there."""
        names = frozenset(node.name for node in await self.capacity(session))
        return pool_shares(await session.execute(POOLS), names)

    async def seed(self, session: AsyncSession, *, node: NodeCapacity) -> None:
        """Give a platform without specs and pools the ones that suit `node`, and a pool for everyone."""
        if await session.scalar(select(SpecRow.id).limit(1)) or await session.scalar(select(PoolRow.id).limit(1)):
            return
        session.add_all(SpecRow(**spec.model_dump()) for spec in seed_specs(node))
        pool = PoolCreate(name="default", description="Everything here, for everyone.", everyone=True)
        session.add(PoolRow(**pool.model_dump()))
        await session.flush()

    # -- offers: what somebody may use ------------------------------------------------------------------------

    async def offers(
        self, session: AsyncSession, principal: Principal, *, kind: Kind, workspace: str | None = None
    ) -> list[Offer]:
        """Return what the caller may use for `kind`, smallest first; each spec once, from its best pool.

        `workspace` is the one that will own (and pay for) the workload; None means any of the caller's.
        """
        specs = await self._specs(session)
        nodes = await self.capacity(session)
        pools = list(await session.execute(POOLS))
        shares = pool_shares(pools, [node.name for node in nodes])
        found: dict[str, Offer] = {}
        for pool in pools:
            if not pool.enabled or kind not in pool.kinds or not permits(pool, principal, workspace=workspace):
                continue
            inside = tuple(node for node in nodes if node.name in shares[pool.name].nodes)
            for spec in specs:
                if not (spec.enabled and _holds(pool, spec)):
                    continue
                offer = Offer(spec=Spec.model_validate(spec), pool=pool.name, nodes=inside)
                # Pools come best first; a lesser one is taken only where the better can never hold the spec.
                if spec.name not in found or (offer.possible and not found[spec.name].possible):
                    found[spec.name] = offer
        return sorted(found.values(), key=_size)

    async def spec_for(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        name: str,
        kind: Kind,
        field: str = "spec",
        workspace: str | None = None,
    ) -> Offer:
        """Return the spec `name` for the caller; raise `Invalid` (unknown) or `Forbidden` (who can allow it)."""
        offers = {
            offer.spec.name: offer for offer in await self.offers(session, principal, kind=kind, workspace=workspace)
        }
        if name in offers:
            return offers[name]
        row = await session.scalar(select(SpecRow).where(SpecRow.name == name))
        way_out = f"You may use: {', '.join(offers)}." if offers else "Ask an admin to let you use a pool."
        if row is None:
            raise Invalid(f"There is no spec '{name[:80]}'. {way_out}", field=field)
        if not row.enabled:
            raise Invalid(f"The spec '{name}' is switched off. {way_out}", field=field)
        raise Forbidden(await self._refusal(session, principal, row, kind=kind, workspace=workspace), field=field)

    async def _refusal(
        self, session: AsyncSession, principal: Principal, spec: SpecRow, *, kind: Kind, workspace: str | None
    ) -> str:
        """Return the sentence that says why a spec is not permitted and who can allow it."""
        pools = [pool for pool in await self._pools(session) if _holds(pool, spec)]
        mine = [pool for pool in pools if permits(pool, principal, workspace=workspace)]
        if mine:
            pool = mine[0].name
            return f"The spec '{spec.name}' is not offered for a {kind}: an admin can allow it in the pool '{pool}'."
        workspaces = sorted({name for pool in pools if kind in pool.kinds for name in pool.workspaces})
        own = [name for name in workspaces if name in principal.workspaces]
        if own:
            return f"The spec '{spec.name}' is for the workspace '{own[0]}': run it there (workspace={own[0]})."
        if workspaces:
            return (
                f"The spec '{spec.name}' is for members of {', '.join(workspaces[:5])}: "
                "ask an owner of that workspace to add you, or an admin to let you use the pool."
            )
        return f"You may not use the spec '{spec.name}': an admin can let you use a pool that has it."

    async def largest_fitting(
        self, session: AsyncSession, principal: Principal, *, kind: Kind, workspace: str | None = None
    ) -> Spec | None:
        """Return the largest spec the caller may use that some node could ever hold."""
        offers = await self.offers(session, principal, kind=kind, workspace=workspace)
        return next((offer.spec for offer in reversed(offers) if offer.possible), None)

    async def require_fits(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        wanted: Sequence[tuple[Offer, int]],
        kind: Kind,
        field: str = "spec",
        workspace: str | None = None,
    ) -> None:
        """Raise `Invalid`, naming the largest spec that would, when `wanted` can never run all at once.

        `wanted` pairs each role's offer with the replicas that must start together.
        """
        for offer, _ in wanted:
            if not offer.possible:
                largest = await self.largest_fitting(session, principal, kind=kind, workspace=workspace)
                raise Invalid(
                    f"The spec '{offer.spec.name}' ({_words(offer.spec)}) can never fit the pool '{offer.pool}'. "
                    + (
                        f"The largest that would is '{largest.name}' ({_words(largest)})."
                        if largest
                        else "No spec would."
                    ),
                    field=field,
                    largest=largest.name if largest else None,
                )
        nodes = {node.name: node for offer, _ in wanted for node in offer.nodes}
        demands = [offer.demand for offer, replicas in wanted for _ in range(replicas)]
        if place(list(nodes.values()), demands) is None:
            # How many would start together: the sentence should help to choose.
            most = bisect(range(1, len(demands)), 0, key=lambda n: place(list(nodes.values()), demands[:n]) is None)
            raise Invalid(
                f"{len(demands)} replicas must start together, and the pool never has room for more than {most} "
                "of them: ask for fewer replicas, a lower min_available or a smaller spec.",
                field=field,
                most=most,
            )

    # -- specs ------------------------------------------------------------------------------------------------

    async def list_specs(self, session: AsyncSession, principal: Principal, *, query: SpecQuery) -> Page[Spec]:
        """Return the specs the caller may use (for `query.kind`, or for anything), or all on offer; all to an admin."""
        statement = select(SpecRow)
        everything = query.all and principal.admin("resources")
        if query.forbidden and not everything:
            statement = statement.where(SpecRow.enabled)
        elif not everything:
            kinds: tuple[Kind, ...] = (query.kind,) if query.kind else ("job", "notebook")
            usable = {o.spec.id for kind in kinds for o in await self.offers(session, principal, kind=kind)}
            statement = statement.where(SpecRow.id.in_(usable))
        if query.q:
            statement = statement.where(SpecRow.name.contains(query.q, autoescape=True))
        rows, following = await paginate(session, statement, key=SpecRow.id, query=query)
        return Page(items=[Spec.model_validate(row) for row in rows], next=following)

    async def get_spec(self, session: AsyncSession, principal: Principal, *, name: str) -> Spec:
        """Return one spec; raise `NotFound`."""
        return Spec.model_validate(await self._spec(session, name))

    async def create_spec(self, session: AsyncSession, _principal: Principal, *, spec: SpecCreate) -> Spec:
        """Add a spec; a taken name is a `Conflict`."""
        if await session.scalar(select(SpecRow.id).where(SpecRow.name == spec.name)):
            raise Conflict(f"There is a spec '{spec.name}' already: choose another name.", field="name")
        row = SpecRow(**spec.model_dump())
        session.add(row)
        await session.flush()
        return Spec.model_validate(row)

    async def patch_spec(
        self, session: AsyncSession, _principal: Principal, *, name: str, patch: SpecPatch, if_match: int | None
    ) -> Spec:
        """Change a spec; what was submitted before keeps the values and the price it was submitted with."""
        row = await self._spec(session, name)
        check_revision(row.revision, if_match)
        _apply(row, patch)
        return Spec.model_validate(row)

    async def delete_spec(
        self, session: AsyncSession, _principal: Principal, *, name: str, if_match: int | None
    ) -> None:
        """Remove a spec; workloads keep their copy of it. Pools that name it lose it."""
        row = await self._spec(session, name)
        check_revision(row.revision, if_match)
        for pool in await session.scalars(select(PoolRow)):
            if pool.specs == [name]:
                raise Conflict(
                    f"'{name}' is the only spec of the pool '{pool.name}': give the pool another one first.",
                    field="spec",
                )
            if name in pool.specs:
                pool.specs = [spec for spec in pool.specs if spec != name]
                pool.revision += 1
        await session.delete(row)

    # -- pools ------------------------------------------------------------------------------------------------

    async def list_pools(self, session: AsyncSession, principal: Principal, *, query: PageQuery) -> Page[Pool]:
        """Return the pools the caller may use; all of them to an admin."""
        statement = select(PoolRow)
        if not principal.admin("resources"):
            mine = [pool.id for pool in await self._pools(session) if permits(pool, principal)]
            statement = statement.where(PoolRow.id.in_(mine))
        if query.q:
            statement = statement.where(PoolRow.name.contains(query.q, autoescape=True))
        rows, following = await paginate(session, statement, key=PoolRow.id, query=query)
        return Page(items=[_pool_for(row, principal) for row in rows], next=following)

    async def get_pool(self, session: AsyncSession, principal: Principal, *, name: str) -> Pool:
        """Return one pool the caller may use; raise `NotFound`."""
        row = await self._pool(session, name)
        if not (principal.admin("resources") or permits(row, principal)):
            raise NotFound(f"There is no pool '{name[:80]}' that you may use.", field="pool")
        return _pool_for(row, principal)

    async def create_pool(self, session: AsyncSession, _principal: Principal, *, pool: PoolCreate) -> Pool:
        """Add a pool; a taken name is a `Conflict`, an unknown node or spec `Invalid`."""
        if await session.scalar(select(PoolRow.id).where(PoolRow.name == pool.name)):
            raise Conflict(f"There is a pool '{pool.name}' already: choose another name.", field="name")
        await self._check_members(session, nodes=pool.nodes, specs=pool.specs)
        row = PoolRow(**pool.model_dump())
        session.add(row)
        await session.flush()
        await self._check_place(session, row)
        return Pool.model_validate(row)

    async def patch_pool(
        self, session: AsyncSession, _principal: Principal, *, name: str, patch: PoolPatch, if_match: int | None
    ) -> Pool:
        """Change a pool; what runs from it goes on."""
        row = await self._pool(session, name)
        check_revision(row.revision, if_match)
        await self._check_members(session, nodes=patch.nodes or [], specs=patch.specs or [])
        _apply(row, patch)
        await session.flush()
        if patch.model_dump(exclude_none=True, include={"nodes", *SHARES}):
            await self._check_place(session, row)
        return Pool.model_validate(row)

    async def delete_pool(
        self, session: AsyncSession, _principal: Principal, *, name: str, if_match: int | None
    ) -> None:
        """Remove a pool; what runs from it goes on."""
        row = await self._pool(session, name)
        check_revision(row.revision, if_match)
        if parts := sorted(pool.name for pool in await session.execute(POOLS) if pool.parent == name):
            raise Conflict(
                f"It has parts: {', '.join(parts)}. Delete them first, or make them parts of another pool.",
                field="pool",
            )
        await session.delete(row)

    async def _check_members(self, session: AsyncSession, *, nodes: Sequence[str], specs: Sequence[str]) -> None:
        known = {"nodes": {node.name for node in await self.capacity(session)} if nodes else set[str]()}
        known["specs"] = {spec.name for spec in await self._specs(session)} if specs else set[str]()
        for field, names in (("nodes", nodes), ("specs", specs)):
            for index, name in enumerate(names):
                if name not in known[field]:
                    raise Invalid(f"There is no {field[:-1]} '{name[:80]}'.", field=f"{field}.{index}")

    async def _check_place(self, session: AsyncSession, pool: PoolRow) -> None:
        """Refuse shares and parents where nothing would keep them, and those that do not go together with others'."""
        for field in SHARES:
            if getattr(pool, field) and not self._shares:
                raise Invalid("Only on a cluster do pools have shares of nodes: leave this out.", field=field)
        pools = {row.name: row for row in await session.execute(POOLS)}
        check_parent(pool.name, pools)
        shares = await self.pool_shares(session)
        for index, node in enumerate(pool.nodes):
            if pool.parent and node not in shares[pool.name].nodes:
                raise Invalid(f"The node '{node}' is not one of the pool '{pool.parent}'.", field=f"nodes.{index}")
        check_shares(pool.name, shares)

    async def _specs(self, session: AsyncSession) -> list[Any]:
        return list(await session.execute(SPECS))

    async def _pools(self, session: AsyncSession) -> list[Any]:
        """Return the enabled pools, best first."""
        return [pool for pool in await session.execute(POOLS) if pool.enabled]

    async def _spec(self, session: AsyncSession, name: str) -> SpecRow:
        row = await session.scalar(select(SpecRow).where(SpecRow.name == name))
        if row is None:
            raise NotFound(f"There is no spec '{name[:80]}'.", field="spec")
        return row

    async def _pool(self, session: AsyncSession, name: str) -> PoolRow:
        row = await session.scalar(select(PoolRow).where(PoolRow.name == name))
        if row is None:
            raise NotFound(f"There is no pool '{name[:80]}'.", field="pool")
        return row


def permits(pool: PoolRow | Row[Any], principal: Principal, *, workspace: str | None = None) -> bool:
    """Tell whether the caller may use `pool` for a workload of `workspace` (None: of any of theirs)."""
    mine = set(principal.workspaces) if workspace is None else {workspace} & set(principal.workspaces)
    return (
        pool.everyone
        or principal.name in pool.users
        or bool(mine & set(pool.workspaces))
        or bool(principal.roles & set(pool.hub_roles))
    )


def _holds(pool: Any, spec: Any) -> bool:
    return not pool.specs or spec.name in pool.specs


def _size(offer: Offer) -> tuple[int, int, int, str]:
    spec = offer.spec
    return spec.accelerators, spec.cpu_milli, spec.memory, spec.name


def _words(spec: Spec) -> str:
    return describe(spec.cpu_milli, spec.memory, spec.accelerators, spec.accelerator_type)


def _apply(row: SpecRow | PoolRow, patch: SpecPatch | PoolPatch) -> None:
    # Null means "leave it" for these fields: none of them can be empty.
    for field, value in patch.model_dump(exclude_none=True).items():
        setattr(row, field, value)
    row.revision += 1


def _pool_for(row: PoolRow, principal: Principal) -> Pool:
    """Return a pool without the names of others who may use it, unless an admin asks."""
    pool = Pool.model_validate(row)
    if principal.admin("resources"):
        return pool
    return pool.model_copy(
        update={
            "users": [name for name in pool.users if name == principal.name],
            "workspaces": [name for name in pool.workspaces if name in principal.workspaces],
            "hub_roles": [name for name in pool.hub_roles if name in principal.roles],
        }
    )
