"""What pools get of nodes that others have, too: within a pool its parts share what it has. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pumpkin_services.problems import Invalid

Percent = Literal["guarantee_percent", "deserved_percent"]
WORDS: dict[Percent, str] = {"guarantee_percent": "guaranteed", "deserved_percent": "deserved"}


@dataclass(frozen=True, kw_only=True)
class PoolShare:
    """The names of a pool's nodes, the pool it is a part of, and what it gets of its nodes beside others."""

    nodes: frozenset[str]
    parent: str = ""
    guarantee_percent: int = 0
    deserved_percent: int = 0
    reclaimable: bool = False


def pool_shares(pools: Iterable[Any], nodes: Collection[str]) -> dict[str, PoolShare]:
    """Return each pool's share. One that names no nodes has all of its parent's, without a parent all of `nodes`."""
    rows = {pool.name: pool for pool in pools}
    found: dict[str, frozenset[str]] = {"": frozenset(nodes)}

    def inside(name: str) -> frozenset[str]:
        if name not in found:
            outer = inside(rows[name].parent)
            found[name] = outer & frozenset(rows[name].nodes) if rows[name].nodes else outer
        return found[name]

    return {
        name: PoolShare(
            nodes=inside(name),
            parent=pool.parent,
            guarantee_percent=pool.guarantee_percent,
            # What is guaranteed is deserved, too; Volcano's webhooks want it said.
            deserved_percent=max(pool.deserved_percent, pool.guarantee_percent),
            reclaimable=pool.reclaimable,
        )
        for name, pool in rows.items()
    }


def check_parent(name: str, pools: Mapping[str, Any]) -> None:
    """Refuse a pool that is a part of none there is, or of itself."""
    above, parent = {name}, pools[name].parent
    while parent:
        if parent not in pools:
            raise Invalid(f"There is no pool '{parent[:80]}'.", field="parent")
        if parent in above:
            raise Invalid(f"'{name}' would be a part of itself: choose another pool, or none.", field="parent")
        above.add(parent)
        parent = pools[parent].parent


def check_shares(name: str, shares: Mapping[str, PoolShare]) -> None:
    """Refuse more of a node than there is, or than the pool has whose parts want it."""
    for field in WORDS:
        for parent in (shares[name].parent, name):
            _check_parts(parent, shares, field, of=name)


def _check_parts(parent: str, shares: Mapping[str, PoolShare], field: Percent, *, of: str) -> None:
    """Look at the parts of `parent`, without one at the pools that are parts of none, where the pool `of` has nodes."""
    most = getattr(shares[parent], field) if parent else 100
    for node in sorted(shares[of].nodes):
        promised = {
            name: getattr(share, field)
            for name, share in shares.items()
            if share.parent == parent and node in share.nodes and getattr(share, field)
        }
        if (total := sum(promised.values())) <= most:
            continue
        if of == parent:
            way_out = f"as its parts have it, this pool needs {total} %"
        else:
            way_out = f"this pool may have {max(0, most - total + promised.get(of, 0))} %"
        listed = ", ".join(f"{name} {percent} %" for name, percent in promised.items() if name != of)
        within = f" within '{parent}', which has {most} %" if parent else ""
        others = f" ({listed})" if listed else ""
        raise Invalid(
            f"{total} % of the node '{node}' would be {WORDS[field]}{within}{others}: {way_out}.", field=field
        )
