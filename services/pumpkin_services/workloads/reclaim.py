"""Whom to end so that another pool gets the share it deserves: a pure function. No database, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pumpkin_services.resources.shapes import NodeCapacity, place
from pumpkin_services.resources.shares import PoolShare
from pumpkin_services.workloads.scheduler import Candidate, Holding, fits, remaining

WAIT_SECONDS = 30.0
"""Nobody is ended for what has waited less: something may end by itself."""
LOOKED_AT = 20
"""Of the workloads that wait, so many at most are reckoned with at once."""

Amount = tuple[int, int, int]
"""Thousandths of a core, bytes, accelerators."""
NOTHING: Amount = (0, 0, 0)
Level = tuple[str, bool]
"""A pool, and whether its parts count."""


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
    pools: Mapping[str, PoolShare],
    now: float,
) -> list[Taken]:
    """Return which jobs to end, of pools that lend and have more than they deserve.

    It is done for a candidate only that stays within what its own pool deserves, has waited, and then has a place.
    Of the pools that both are parts of, only those count that they do not have in common: a pool that has no more than
    it deserves with all its parts loses nothing to others, and one that would have more gains nothing from them.
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

    def __init__(
        self, nodes: Sequence[NodeCapacity], tenants: Sequence[Tenant], pools: Mapping[str, PoolShare]
    ) -> None:
        self._nodes = [node for node in nodes if node.alive and not node.drained]
        self._pools = pools
        self._deserved = _all_deserved(pools, self._nodes)
        self._tenants = {tenant.id: tenant for tenant in tenants if not tenant.ending}
        self._used: defaultdict[Level, Amount] = defaultdict(lambda: NOTHING)
        for tenant in self._tenants.values():
            self._book(self._used, tenant.pool, _held(tenant))

    def deserves(self, candidate: Candidate) -> bool:
        """Tell whether the pool of a candidate stays within its share if it starts."""
        return self._within(candidate, [(candidate.pool, False)])

    def victims(self, candidate: Candidate) -> list[Tenant] | None:
        """Return who must go for a candidate, nobody if there is room; None if that does not help."""
        if self._room(candidate, ()):
            return []
        mine = self._pools[candidate.pool].nodes
        used, chosen = self._used.copy(), list[Tenant]()
        for tenant in sorted(self._tenants.values(), key=lambda one: one.started, reverse=True):
            if not _on(tenant, mine) or not self._lent(tenant, candidate, used):
                continue
            chosen.append(tenant)
            self._book(used, tenant.pool, _held(tenant), sign=-1)
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
            self._book(self._used, victim.pool, _held(victim), sign=-1)
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
        self._book(self._used, candidate.pool, _asked(candidate))

    def _lent(self, tenant: Tenant, candidate: Candidate, used: Mapping[Level, Amount]) -> bool:
        share = self._pools.get(tenant.pool)
        if tenant.pool == candidate.pool or tenant.kind != "job" or share is None or not share.reclaimable:
            return False
        theirs, ours = self._levels(tenant.pool), self._levels(candidate.pool)
        return self._within(candidate, [level for level in ours if level not in theirs]) and all(
            any(have > deserved for have, deserved in zip(used[level], self._deserved[level], strict=True))
            for level in theirs
            if level not in ours
        )

    def _within(self, candidate: Candidate, levels: Iterable[Level]) -> bool:
        """Tell whether each of these levels has what it deserves at most, once a candidate has started."""
        asked = _asked(candidate)
        return all(
            want <= deserved
            for level in levels
            for want, deserved in zip(_sum(self._used[level], asked), self._deserved.get(level, NOTHING), strict=True)
        )

    def _levels(self, pool: str) -> list[Level]:
        """Return what a pool's use counts for: itself alone, and with its parts each pool it is a part of."""
        found, around = [(pool, False)], pool
        while around in self._pools:
            found.append((around, True))
            around = self._pools[around].parent
        return found

    def _book(self, used: defaultdict[Level, Amount], pool: str, amount: Amount, *, sign: int = 1) -> None:
        for level in self._levels(pool):
            used[level] = _sum(used[level], amount, sign=sign)

    def _room(self, candidate: Candidate, without: Sequence[Tenant]) -> bool:
        return fits(candidate.groups, self._free(without))

    def _free(self, without: Sequence[Tenant]) -> list[NodeCapacity]:
        gone = {tenant.id for tenant in without}
        held = (item for tenant in self._tenants.values() if tenant.id not in gone for item in tenant.holdings)
        return remaining(self._nodes, held)


def _all_deserved(pools: Mapping[str, PoolShare], nodes: Sequence[NodeCapacity]) -> dict[Level, Amount]:
    """Return what each pool deserves: with its parts, and alone what those leave of that."""
    whole = {name: _deserved(share, nodes) for name, share in pools.items()}
    alone = dict(whole)
    for name, share in pools.items():
        if share.parent:
            alone[share.parent] = _sum(alone[share.parent], whole[name], sign=-1)
    return {(name, True): amount for name, amount in whole.items()} | {
        (name, False): amount for name, amount in alone.items()
    }


def _deserved(share: PoolShare, nodes: Sequence[NodeCapacity]) -> Amount:
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
