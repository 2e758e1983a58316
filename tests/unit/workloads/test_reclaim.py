"""Reclaim's promises: only what is lent is taken, only for what is deserved, no more than needed, never a notebook."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin_services.resources.shares import PoolShare
from pumpkin_services.workloads.reclaim import WAIT_SECONDS, Tenant, reclaim
from pumpkin_services.workloads.scheduler import Candidate, Holding, fits, remaining
from tests.unit.workloads.test_scheduler import job, node

NODES = [node("a", cpu=8), node("b", cpu=8)]
BOTH = frozenset({"a", "b"})
LENDS = PoolShare(nodes=BOTH, deserved_percent=25, reclaimable=True)
DESERVES = PoolShare(nodes=BOTH, deserved_percent=75)
LATER = WAIT_SECONDS + 1


def tenant(
    name: str, *, on: str = "a", cpu: int = 4, pool: str = "lends", started: float = 0, kind: str = "job"
) -> Tenant:
    held = Holding(workload=name, workspace="w", creator="w", node=on, cpu_milli=cpu, memory=1)
    return Tenant(id=name, pool=pool, kind=kind, started=started, holdings=(held,))


def wants(name: str = "new", *, cpu: int = 4, pool: str = "deserves", replicas: int = 1) -> Candidate:
    return replace(job(name, cpu=cpu, replicas=replicas), pool=pool)


def ended(*candidates: Candidate, tenants: list[Tenant], **pools: PoolShare) -> list[str]:
    named = {"lends": LENDS, "deserves": DESERVES} | pools
    taken = reclaim(candidates, nodes=NODES, tenants=tenants, pools=named, now=LATER)
    assert {item.pool for item in taken} <= {candidate.pool for candidate in candidates}
    return [item.workload for item in taken]


FULL = [
    tenant("old", started=1), tenant("young", started=4), tenant("middle", on="b", started=3),
    tenant("second", on="b", started=2),
]  # fmt: skip


def test_the_youngest_makes_room_and_nobody_else() -> None:
    assert ended(wants(), tenants=FULL) == ["young"]


def test_those_on_the_way_are_spared_when_one_makes_the_room_alone() -> None:
    assert ended(wants(cpu=8), tenants=[tenant("whole", on="b", cpu=8, started=2), *FULL[:2]]) == ["whole"]


def test_a_gang_gets_all_its_places_or_nobody_is_ended() -> None:
    assert sorted(ended(wants(replicas=3), tenants=FULL)) == ["middle", "second", "young"]
    assert ended(wants(replicas=4), tenants=FULL) == []


def test_for_several_that_wait_each_place_is_taken_once() -> None:
    assert ended(wants("one"), wants("two"), tenants=FULL) == ["young", "middle"]


@pytest.mark.parametrize(
    ("candidate", "tenants", "pools"),
    [
        pytest.param(wants(), FULL[:3], {}, id="there is room"),
        pytest.param(wants(), [*FULL[:3], replace(FULL[3], ending=True)], {}, id="room is being made"),
        pytest.param(wants(), FULL, {"lends": replace(LENDS, reclaimable=False)}, id="the pool does not lend"),
        pytest.param(wants(), FULL, {"lends": replace(LENDS, deserved_percent=100)}, id="it deserves what it has"),
        pytest.param(wants(), FULL, {"deserves": replace(DESERVES, deserved_percent=0)}, id="no share"),
        pytest.param(wants(), FULL, {"deserves": replace(DESERVES, deserved_percent=20)}, id="more than its share"),
        pytest.param(wants(), FULL, {"deserves": replace(DESERVES, nodes=frozenset({"c"}))}, id="other nodes"),
        pytest.param(wants(), [replace(one, kind="notebook") for one in FULL], {}, id="notebooks"),
        pytest.param(wants(pool="lends"), FULL, {}, id="its own pool"),
        pytest.param(replace(wants(), queued=2.0), FULL, {}, id="it has not waited"),
    ],
)
def test_nobody_is_ended(candidate: Candidate, tenants: list[Tenant], pools: dict[str, PoolShare]) -> None:
    assert ended(candidate, tenants=tenants, **pools) == []


def test_a_pool_keeps_what_it_deserves() -> None:
    half = replace(LENDS, deserved_percent=50)
    asks = [wants(str(number)) for number in range(4)]
    assert ended(*asks, tenants=FULL, lends=half) == ["young", "middle"]


LAB = PoolShare(nodes=BOTH, deserved_percent=75)
VISION = PoolShare(nodes=BOTH, parent="lab", deserved_percent=25, reclaimable=True)
NLP = replace(VISION, deserved_percent=50)
TREE = {"lab": LAB, "vision": VISION, "nlp": NLP}
"""Of 16 cores 12 are the lab's: 4 of its part vision, 8 of nlp; and 4 of the pool `lends`."""


@pytest.mark.parametrize(
    ("candidate", "holders", "gone"),
    [
        # The lab has the 12 that it deserves: its parts settle what they have among themselves.
        ("nlp", ["vision", "vision", "vision", "lends"], ["t2"]),
        ("lends", ["vision", "vision", "vision", "lends"], []),
        # With 16 it has more, and gives them back, though not what a part deserves.
        ("lends", ["nlp", "nlp", "vision", "vision"], ["t3"]),
        ("lends", ["nlp", "nlp", "nlp", "vision"], ["t2"]),
        # From outside it gets what it deserves with all its parts.
        ("nlp", ["vision", "nlp", "lends", "lends"], ["t3"]),
        ("nlp", ["vision", "vision", "lends", "lends"], ["t3"]),
        ("nlp", ["vision", "vision", "vision", "vision"], ["t3"]),
        # What its parts leave of its share is its own; here they leave nothing.
        ("lab", ["lends", "lends", "lends", "vision"], []),
    ],
)
def test_parts_of_a_pool_share_what_it_deserves(candidate: str, holders: list[str], gone: list[str]) -> None:
    tenants = [tenant(f"t{at}", on="ab"[at // 2], pool=pool, started=at) for at, pool in enumerate(holders)]
    assert ended(wants(pool=candidate), tenants=tenants, **TREE) == gone


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4), st.sampled_from(["lends", "deserves", "other"]),
                       st.sampled_from(["job", "job", "notebook"]), st.integers(0, 9)), max_size=10),
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from(["lends", "deserves", "other"])), max_size=5),
    st.integers(0, 100), st.integers(0, 100),
)  # fmt: skip
def test_only_what_is_lent_is_taken_for_what_is_deserved(
    held: list[tuple[str, int, str, str, int]], asked: list[tuple[int, str]], lent: int, deserved: int
) -> None:
    tenants, free = list[Tenant](), {"a": 8, "b": 8}
    for at, (where, cpu, pool, kind, started) in enumerate(held):
        if cpu <= free[where]:
            free[where] -= cpu
            tenants.append(tenant(f"t{at}", on=where, cpu=cpu, pool=pool, kind=kind, started=started))
    candidates = [wants(f"c{at}", cpu=cpu, pool=pool) for at, (cpu, pool) in enumerate(asked)]
    pools = {
        "lends": replace(LENDS, deserved_percent=lent),
        "deserves": replace(DESERVES, deserved_percent=deserved),
        "other": PoolShare(nodes=BOTH),
    }
    taken = reclaim(candidates, nodes=NODES, tenants=tenants, pools=pools, now=LATER)
    by_id = {one.id: one for one in tenants}
    used: defaultdict[str, int] = defaultdict(int)
    for one in tenants:
        used[one.pool] += one.holdings[0].cpu_milli
    assert len({item.workload for item in taken}) == len(taken)
    for item in taken:
        victim = by_id[item.workload]
        assert (victim.pool, victim.kind) == ("lends", "job")
        assert used["lends"] > 16 * lent // 100
        used["lends"] -= victim.holdings[0].cpu_milli
    assert {item.pool for item in taken} <= {"deserves"}
    gone = {item.workload for item in taken}
    left = [holding for one in tenants if one.id not in gone for holding in one.holdings]
    if taken:
        # What was made room for has it.
        assert any(fits(one.groups, remaining(NODES, left)) for one in candidates if one.pool == "deserves")
        assert used["deserves"] < 16 * deserved // 100
