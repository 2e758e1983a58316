"""The scheduler's promises, as properties: never over capacity, all or nothing, nobody waits for ever."""

from __future__ import annotations

import random
from collections import defaultdict

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
