"""The scheduler's promises, as properties: never over capacity, all or nothing, nobody waits for ever."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpkin_services.resources.models import Accelerator
from pumpkin_services.resources.shapes import Demand, NodeCapacity
from pumpkin_services.workloads.scheduler import (
    SHARE_SECONDS,
    Candidate,
    Cap,
    Group,
    Holding,
    Subject,
    everywhere,
    offer,
    positions,
    schedule,
)


def node(name: str = "n", cpu: int = 8, memory: int = 8, accelerators: int = 0) -> NodeCapacity:
    cards = tuple(Accelerator(index=index, type="X") for index in range(accelerators))
    return NodeCapacity(name=name, cpu_milli=cpu, memory=memory, accelerators=cards)


def job(
    name: str, *, cpu: int = 1, acc: int = 0, replicas: int = 1, minimum: int | None = None, workspace: str = "w",
    queued: float = 0, priority: int = 0,
) -> Candidate:  # fmt: skip
    demand = Demand(cpu_milli=cpu, memory=1, accelerators=acc)
    group = Group(role="r", demand=demand, replicas=replicas, minimum=minimum or replicas)
    return Candidate(id=name, workspace=workspace, creator=workspace, queued=queued, groups=(group,), priority=priority)


GROUPS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=2
)
JOBS = st.lists(
    st.tuples(GROUPS, st.sampled_from("xyz"), st.integers(0, 500), st.integers(-100, 100)), min_size=1, max_size=15
)
NODES = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(0, 4)), min_size=1, max_size=4)


def _candidates(drawn: list[tuple[list[tuple[int, int, int, int]], str, int, int]]) -> list[Candidate]:
    return [
        Candidate(
            id=f"j{at:02}",
            workspace=workspace,
            creator=workspace,
            queued=queued,
            priority=priority,
            groups=tuple(
                Group(
                    role=f"r{index}",
                    demand=Demand(cpu_milli=cpu, memory=1, accelerators=acc),
                    replicas=replicas,
                    minimum=min(minimum, replicas),
                )
                for index, (cpu, acc, replicas, minimum) in enumerate(groups)
            ),
        )
        for at, (groups, workspace, queued, priority) in enumerate(drawn)
    ]


@settings(max_examples=300, deadline=None)
@given(JOBS, NODES)
def test_no_node_is_ever_over_its_capacity_and_gangs_start_whole(
    drawn: list[tuple[list[tuple[int, int, int, int]], str, int, int]], sizes: list[tuple[int, int, int]]
) -> None:
    nodes = [node(f"n{at}", *size) for at, size in enumerate(sizes)]
    candidates = {item.id: item for item in _candidates(drawn)}
    used: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    cards: defaultdict[str, list[int]] = defaultdict(list)
    for start in schedule(candidates.values(), nodes=nodes, held=[], now=600):
        for group in candidates[start.id].groups:
            spots = [spot for spot in start.spots if spot.role == group.role]
            assert group.minimum <= len(spots) <= group.replicas
            assert [spot.index for spot in spots] == list(range(len(spots)))
            for spot in spots:
                used[spot.placement.node][0] += group.demand.cpu_milli
                used[spot.placement.node][1] += group.demand.memory
                cards[spot.placement.node] += spot.placement.accelerators
                assert len(spot.placement.accelerators) == group.demand.accelerators
    for item in nodes:
        assert used[item.name][0] <= item.cpu_milli
        assert used[item.name][1] <= item.memory
        assert len(set(cards[item.name])) == len(cards[item.name]) <= len(item.accelerators)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_nobody_waits_for_ever(seed: int) -> None:
    """A full machine, small jobs arriving for ever from many workspaces, and one that needs the whole machine."""
    rng = random.Random(seed)
    queue = [job("big", cpu=8, queued=0, workspace="big", priority=-100)]
    running: dict[str, tuple[float, Candidate]] = {}
    now, number = 0.0, 0
    while "big" not in running:
        now += 10
        assert now < 4 * SHARE_SECONDS, "the big job starves"
        for _ in range(3):
            number += 1
            queue.append(job(f"s{number:06}", queued=now, workspace=f"w{rng.randrange(20)}", priority=100))
        running = {name: item for name, item in running.items() if item[0] > now}
        held = [_hold(item) for _, item in running.values()]
        for start in schedule(queue, nodes=[node()], held=held, now=now):
            item = next(item for item in queue if item.id == start.id)
            queue.remove(item)
            running[item.id] = (now + rng.randrange(10, 60), item)


def _hold(item: Candidate) -> Holding:
    demand = item.groups[0].demand
    return Holding(
        workload=item.id, workspace=item.workspace, creator=item.creator, node="n", cpu_milli=demand.cpu_milli, memory=1
    )


def _order(candidates: list[Candidate], *, held: list[Holding] | None = None) -> list[str]:
    places = positions(candidates, nodes=[node()], held=held or [])
    assert sorted(places.values()) == list(range(1, len(candidates) + 1))
    return sorted(places, key=lambda name: places[name])


def test_first_come_first_served_within_a_workspace() -> None:
    assert _order([job("c", queued=3), job("a", queued=1), job("b", queued=2)]) == ["a", "b", "c"]


def test_a_higher_priority_goes_first_within_its_workspace_only() -> None:
    assert _order([job("a", queued=1), job("b", queued=2, priority=5)]) == ["b", "a"]
    mine, others = job("a", queued=1), job("b", queued=2, priority=100, workspace="other")
    assert _order([mine, others]) == ["a", "b"]


def test_waiting_makes_up_for_priority() -> None:
    assert _order([job("old", queued=0), job("new", queued=601, priority=10)]) == ["old", "new"]


def test_workspaces_take_turns() -> None:
    many = [job(f"a{number}", workspace="a", queued=number) for number in range(4)]
    few = [job(f"b{number}", workspace="b", queued=10 + number) for number in range(2)]
    assert _order(many + few) == ["a0", "b0", "a1", "b1", "a2", "a3"]


def test_what_an_admin_put_first_goes_first_whatever_the_rules_say() -> None:
    rules = [job("a", queued=1), job("b", queued=2, workspace="other"), job("c", queued=3, priority=100)]
    pinned = [replace(job("late", queued=99), pin=1), replace(job("later", queued=98, workspace="other"), pin=2)]
    assert _order([*rules, *pinned])[:2] == ["late", "later"]
    [first, *_] = schedule([*rules, *pinned], nodes=[node(cpu=1)], held=[], now=100)
    assert first.id == "late"


def test_those_put_first_count_in_their_workspaces_share() -> None:
    pinned = replace(job("pinned", cpu=4, workspace="a", queued=5), pin=1)
    assert _order([pinned, job("a", workspace="a", queued=0), job("b", workspace="b", queued=60)]) == [
        "pinned",
        "b",
        "a",
    ]


def test_who_holds_more_goes_later() -> None:
    held = [_hold(job("running", cpu=4, workspace="a"))]
    assert _order([job("a", workspace="a", queued=0), job("b", workspace="b", queued=60)], held=held) == ["b", "a"]


def test_a_small_job_passes_one_that_does_not_fit_until_that_has_waited_long() -> None:
    held = [_hold(job("running", cpu=4))]
    queue = [job("big", cpu=8, queued=0), job("small", queued=1)]
    assert [start.id for start in schedule(queue, nodes=[node()], held=held, now=60)] == ["small"]
    assert schedule(queue, nodes=[node()], held=held, now=300) == []


def test_limits_hold_the_next_one_back() -> None:
    queue = [job(f"j{number}", queued=number) for number in range(4)]
    caps = {("workspace", "w"): Cap(running=2)}
    assert len(schedule(queue, nodes=[node()], held=[], now=0, caps=caps)) == 2
    cards = [job(f"j{number}", acc=2, queued=number) for number in range(4)]
    caps = {("user", "w"): Cap(accelerators=5)}
    assert len(schedule(cards, nodes=[node(accelerators=8)], held=[], now=0, caps=caps)) == 2


def test_an_elastic_role_starts_with_what_fits() -> None:
    [start] = schedule([job("e", cpu=3, replicas=4, minimum=1)], nodes=[node()], held=[], now=0)
    assert len(start.spots) == 2


def test_a_drained_node_takes_nothing() -> None:
    drained = NodeCapacity(name="n", cpu_milli=8, memory=8, drained=True)
    assert schedule([job("a")], nodes=[drained], held=[], now=0) == []


def test_a_cluster_is_offered_the_line_in_our_order_up_to_the_window():
    waiting = [job(f"a{at}", queued=at) for at in range(5)]
    assert offer(waiting, nodes=[node()], held=[], offered=[], window=3) == ["a0", "a1", "a2"]
    assert offer(waiting, nodes=[node()], held=[], offered=["a0", "a1"], window=3) == ["a2"]
    pinned = [*waiting[:4], replace(waiting[4], pin=1)]
    assert offer(pinned, nodes=[node()], held=[], offered=["a0"], window=2) == ["a4"]


def test_a_pool_that_is_full_or_closed_does_not_keep_others_from_theirs():
    here = [replace(job(f"a{at}", queued=at), pool="a") for at in range(3)]
    there = [replace(job(f"b{at}", queued=at + 10), pool="b") for at in range(3)]
    assert offer([*here, *there], nodes=[node()], held=[], offered=[], window=1) == ["a0", "b0"]
    assert offer([*here, *there], nodes=[node()], held=[], offered=[], window=5, closed=["a"]) == ["b0", "b1", "b2"]


def test_what_is_offered_counts_towards_shares_and_limits():
    mine = [job(f"m{at}", cpu=4, workspace="mine", queued=0) for at in range(3)]
    yours = [job(f"y{at}", cpu=4, workspace="yours", queued=1) for at in range(3)]
    # Half of the machine is on offer to `mine` already, so `yours` is next.
    assert offer([*mine, *yours], nodes=[node()], held=[], offered=["m0"], window=2) == ["y0"]
    caps: dict[Subject, Cap] = {("workspace", "mine"): Cap(running=2), ("workspace", "yours"): Cap(running=0)}
    assert offer([*mine, *yours], nodes=[node()], held=[], offered=["m0"], window=9, caps=caps) == ["m1"]


def test_what_a_cluster_admits_starts_whole_and_says_later_where():
    start = everywhere(job("a", acc=2, replicas=2))
    assert [(spot.role, spot.index, spot.placement.node) for spot in start.spots] == [("r", 0, ""), ("r", 1, "")]
    assert {len(spot.placement.accelerators) for spot in start.spots} == {2}
    assert start.attempt == 1
