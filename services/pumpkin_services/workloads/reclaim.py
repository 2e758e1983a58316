"""Whom to end so that another pool gets the share it deserves: a pure function. No database, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pumpkin_services.resources.shapes import NodeCapacity, place
from pumpkin_services.workloads.scheduler import Candidate, Holding, fits, remaining

WAIT_SECONDS = 30.0
"""Nobody is ended for what has waited less: something may end by itself."""
LOOKED_AT = 20
"""Of the workloads that wait, so many at most are reckoned with at once."""

Amount = tuple[int, int, int]
"""Thousandths of a core, bytes, accelerators."""
NOTHING: Amount = (0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Share:
    """A pool's nodes, the part of them it deserves, and whether what it has beyond that is only lent to it."""

    nodes: frozenset[str]
    deserved_percent: int = 0
    reclaimable: bool = False


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A workload that holds something; `started` is in Unix seconds. What one that is `ending` holds counts as free."""

    id: str
    pool: str
    kind: str = "job"
    started: float = 0.0
    ending: bool = False
    holdings: tuple[Holding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A workload to end, and the pool that gets its place."""

    workload: str
    pool: str


def reclaim(
    candidates: Iterable[Candidate],
    *,
    nodes: Sequence[NodeCapacity],
    tenants: Sequence[Tenant],
    pools: Mapping[str, Share],
    now: float,
) -> list[Taken]:
    """Return which jobs to end, of pools that lend and have more than they deserve.

    It is done for a candidate only that stays within what its own pool deserves, has waited, and then has a place.
    The youngest go first, since they lose least, and none goes that need not. Notebooks never do. `now` is in Unix
    seconds.
    """
    ledger = _Ledger(nodes, tenants, pools)
    waiting = (one for one in candidates if now - one.queued >= WAIT_SECONDS and ledger.deserves(one))
    taken: list[Taken] = []
    for candidate in sorted(waiting, key=lambda one: (not one.pin, one.rank))[:LOOKED_AT]:
        if not ledger.deserves(candidate):
            continue  # those before it have the rest of the share
        victims = ledger.victims(candidate)
        if victims is None:
            continue
        taken += [Taken(workload=victim.id, pool=candidate.pool) for victim in victims]
        ledger.give(candidate, victims)
    return taken


class _Ledger:
    """Who has what, as places change hands."""

    def __init__(self, nodes: Sequence[NodeCapacity], tenants: Sequence[Tenant], pools: Mapping[str, Share]) -> None:
        self._nodes = [node for node in nodes if node.alive and not node.drained]
        self._pools = pools
        self._deserved = {name: _deserved(share, self._nodes) for name, share in pools.items()}
        self._tenants = {tenant.id: tenant for tenant in tenants if not tenant.ending}
        self._used: defaultdict[str, Amount] = defaultdict(lambda: NOTHING)
        for tenant in self._tenants.values():
            self._used[tenant.pool] = _sum(self._used[tenant.pool], _held(tenant))

    def deserves(self, candidate: Candidate) -> bool:
        """Tell whether the pool of a candidate stays within its share if it starts."""
        deserved = self._deserved.get(candidate.pool, NOTHING)
        wanted = _sum(self._used[candidate.pool], _asked(candidate))
        return all(want <= have for want, have in zip(wanted, deserved, strict=True))

    def victims(self, candidate: Candidate) -> list[Tenant] | None:
        """Return who must go for a candidate, nobody if there is room; None if that does not help."""
        if self._room(candidate, ()):
            return []
        mine = self._pools[candidate.pool].nodes
        used, chosen = dict(self._used), list[Tenant]()
        for tenant in sorted(self._tenants.values(), key=lambda one: one.started, reverse=True):
            if tenant.pool == candidate.pool or not self._lent(tenant, used) or not _on(tenant, mine):
                continue
            chosen.append(tenant)
            used[tenant.pool] = _sum(used[tenant.pool], _held(tenant), sign=-1)
            if self._room(candidate, chosen):
                # The last one made the room, so it goes; of the others, those without whom there is none.
                for other in chosen[:-1]:
                    rest = [one for one in chosen if one is not other]
                    chosen = rest if self._room(candidate, rest) else chosen
                return chosen
        return None

    def give(self, candidate: Candidate, victims: Sequence[Tenant]) -> None:
        """Let a candidate have the place of its victims."""
        for victim in victims:
            self._used[victim.pool] = _sum(self._used[victim.pool], _held(victim), sign=-1)
            del self._tenants[victim.id]
        demands = [group.demand for group in candidate.groups for _ in range(group.minimum)]
        spots = place(self._free(()), demands) or ()
        self._tenants[candidate.id] = Tenant(
            id=candidate.id,
            pool=candidate.pool,
            kind="",  # nobody's victim
            holdings=tuple(
                Holding(
                    workload=candidate.id,
                    workspace=candidate.workspace,
                    creator=candidate.creator,
                    node=spot.node,
                    cpu_milli=demand.cpu_milli,
                    memory=demand.memory,
                    accelerators=spot.accelerators,
                )
                for demand, spot in zip(demands, spots, strict=True)
            ),
        )
        self._used[candidate.pool] = _sum(self._used[candidate.pool], _asked(candidate))

    def _lent(self, tenant: Tenant, used: Mapping[str, Amount]) -> bool:
        share = self._pools.get(tenant.pool)
        if tenant.kind != "job" or share is None or not share.reclaimable:
            return False
        pairs = zip(used[tenant.pool], self._deserved[tenant.pool], strict=True)
        return any(have > deserved for have, deserved in pairs)

    def _room(self, candidate: Candidate, without: Sequence[Tenant]) -> bool:
        return fits(candidate.groups, self._free(without))

    def _free(self, without: Sequence[Tenant]) -> list[NodeCapacity]:
        gone = {tenant.id for tenant in without}
        held = (item for tenant in self._tenants.values() if tenant.id not in gone for item in tenant.holdings)
        return remaining(self._nodes, held)


def _deserved(share: Share, nodes: Sequence[NodeCapacity]) -> Amount:
    mine = [node for node in nodes if node.name in share.nodes]
    whole = (
        sum(node.cpu_milli for node in mine),
        sum(node.memory for node in mine),
        sum(len(node.accelerators) for node in mine),
    )
    cpu, memory, accelerators = (amount * share.deserved_percent // 100 for amount in whole)
    return cpu, memory, accelerators


def _held(tenant: Tenant) -> Amount:
    return (
        sum(item.cpu_milli for item in tenant.holdings),
        sum(item.memory for item in tenant.holdings),
        sum(len(item.accelerators) for item in tenant.holdings),
    )


def _asked(candidate: Candidate) -> Amount:
    return (
        sum(group.demand.cpu_milli * group.minimum for group in candidate.groups),
        sum(group.demand.memory * group.minimum for group in candidate.groups),
        sum(group.demand.accelerators * group.minimum for group in candidate.groups),
    )


def _sum(one: Amount, other: Amount, *, sign: int = 1) -> Amount:
    return one[0] + sign * other[0], one[1] + sign * other[1], one[2] + sign * other[2]


def _on(tenant: Tenant, nodes: frozenset[str]) -> bool:
    return any(item.node in nodes for item in tenant.holdings)
