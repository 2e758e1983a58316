"""Who starts where: a pure function of the queue, the nodes and what is held. No database, no clock.

The rules. Between workspaces the one with the smallest dominant share (of cores, memory or accelerators) goes first;
waiting lowers a share in this reckoning, by the whole machine in half an hour, so nobody is passed for ever. Within a
workspace the higher priority goes first, a minute of waiting counting as one point; then first come, first served.
Whatever an admin has put at the head goes before all that.
All replicas a job needs start together or none does. What does not fit is passed by what does, until it has waited
long enough that the nodes it needs are kept for it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pumpkin_services.resources.shapes import Demand, NodeCapacity, Placement, place, take

SHARE_SECONDS = 1800.0
"""Waiting so long outweighs holding the whole machine."""
PRIORITY_SECONDS = 60.0
"""Waiting so long is worth one point of priority."""
RESERVE_SECONDS = 120.0
"""What has waited longer is not passed any more on the nodes it needs."""

Subject = tuple[Literal["user", "workspace"], str]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The replicas of one role: `minimum` of them must start at once."""

    role: str
    demand: Demand
    replicas: int = 1
    minimum: int = 1


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One queued workload; `queued` is in Unix seconds."""

    id: str
    workspace: str
    creator: str
    queued: float
    groups: tuple[Group, ...]
    priority: int = 0
    price_micro: int = 0
    """Per hour, for all replicas together; whether it can be paid is checked before it comes here."""
    pin: int = 0
    """Its place at the head of the queue, where an admin put it; 0 when none did."""
    pool: str = ""
    """Of its main role: the queue of a cluster it waits in."""
    kind: str = "job"
    attempt: int = 0
    """The last one it had."""

    @property
    def rank(self) -> tuple[float, float, str]:
        """The order within its workspace: since all wait equally fast, it does not depend on the time."""
        return self.queued - self.priority * PRIORITY_SECONDS, self.queued, self.id


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one replica holds on a node."""

    workload: str
    workspace: str
    creator: str
    node: str
    cpu_milli: int
    memory: int
    accelerators: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cap:
    """How much one user or workspace may have at once; None is no limit."""

    running: int | None = None
    accelerators: int | None = None


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where one replica starts."""

    role: str
    index: int
    placement: Placement


@dataclass(frozen=True, kw_only=True)
class Start:
    """A workload that starts now, with a place for each replica that does."""

    id: str
    spots: tuple[Spot, ...]
    kind: str = "job"
    attempt: int = 1
    """The one that starts."""


@dataclass
class _Tally:
    cpu_milli: int = 0
    memory: int = 0
    accelerators: int = 0
    workloads: set[str] = field(default_factory=set[str])

    def add(self, cpu_milli: int, memory: int, accelerators: int) -> None:
        self.cpu_milli += cpu_milli
        self.memory += memory
        self.accelerators += accelerators


class _Book:
    """Who holds how much, as starts are decided."""

    def __init__(self, nodes: Sequence[NodeCapacity], held: Iterable[Holding]) -> None:
        self.total = _Tally()
        for node in nodes:
            self.total.add(node.cpu_milli, node.memory, len(node.accelerators))
        self.of: defaultdict[Subject, _Tally] = defaultdict(_Tally)
        for item in held:
            self._book(item.workload, item.workspace, item.creator, item.cpu_milli, item.memory, len(item.accelerators))

    def start(self, candidate: Candidate, counts: Mapping[str, int]) -> None:
        for group in candidate.groups:
            number, demand = counts[group.role], group.demand
            self._book(
                candidate.id,
                candidate.workspace,
                candidate.creator,
                demand.cpu_milli * number,
                demand.memory * number,
                demand.accelerators * number,
            )

    def _book(self, workload: str, workspace: str, creator: str, cpu: int, memory: int, accelerators: int) -> None:
        for subject in _subjects(workspace, creator):
            self.of[subject].add(cpu, memory, accelerators)
            self.of[subject].workloads.add(workload)

    def share(self, workspace: str) -> float:
        have, total = self.of["workspace", workspace], self.total
        return max(
            have.cpu_milli / (total.cpu_milli or 1),
            have.memory / (total.memory or 1),
            have.accelerators / (total.accelerators or 1),
        )

    def allows(self, candidate: Candidate, caps: Mapping[Subject, Cap]) -> bool:
        wanted = sum(group.demand.accelerators * group.minimum for group in candidate.groups)
        for subject in _subjects(candidate.workspace, candidate.creator):
            cap, have = caps.get(subject), self.of[subject]
            if cap is None:
                continue
            if cap.running is not None and len(have.workloads) >= cap.running:
                return False
            if cap.accelerators is not None and wanted and have.accelerators + wanted > cap.accelerators:
                return False
        return True


class _Line:
    """The candidates in the order in which they are tried; it changes as shares do."""

    def __init__(self, candidates: Iterable[Candidate], book: _Book) -> None:
        self._book = book
        self._pinned: list[Candidate] = []
        self._queues: defaultdict[str, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            (self._pinned if candidate.pin else self._queues[candidate.workspace]).append(candidate)
        self._pinned.sort(key=lambda item: (item.pin, item.rank), reverse=True)
        for queue in self._queues.values():
            queue.sort(key=lambda item: item.rank, reverse=True)
        self._heads: list[tuple[tuple[float, float, str], str]] | None = None
        """Of each workspace its next; reckoned once the pinned ones are through, for they change shares."""

    def _key(self, head: Candidate) -> tuple[float, float, str]:
        # `now` is the same for all and left out.
        return self._book.share(head.workspace) + head.queued / SHARE_SECONDS, head.queued, head.id

    def pop(self) -> Candidate | None:
        """Return the next one; its workspace comes again when `settle` is called."""
        if self._pinned:
            return self._pinned.pop()
        if self._heads is None:
            self._heads = [(self._key(queue[-1]), workspace) for workspace, queue in self._queues.items()]
            heapq.heapify(self._heads)
        if not self._heads:
            return None
        _, workspace = heapq.heappop(self._heads)
        return self._queues[workspace].pop()

    def settle(self, workspace: str) -> None:
        """Put a workspace back into line, with the share it has now."""
        if self._heads is None:
            return
        queue = self._queues[workspace]
        if queue:
            heapq.heappush(self._heads, (self._key(queue[-1]), workspace))


def schedule(
    candidates: Iterable[Candidate],
    *,
    nodes: Sequence[NodeCapacity],
    held: Sequence[Holding],
    now: float,
    caps: Mapping[Subject, Cap] | None = None,
) -> list[Start]:
    """Return who starts now, and where. `nodes` are whole; what is `held` is taken off here.

    Drained and silent nodes take nothing new. `now` is in Unix seconds.
    """
    usable = [node for node in nodes if node.alive and not node.drained]
    free = {node.name: node for node in remaining(usable, held)}
    book = _Book(nodes, held)
    line = _Line(candidates, book)
    starts: list[Start] = []
    hopeless: set[tuple[Group, ...]] = set()
    reserved = False
    # Every replica needs some CPU: where none is left, nobody's turn matters.
    while any(node.cpu_milli > 0 for node in free.values()) and (candidate := line.pop()) is not None:
        # Room only shrinks within a pass: what did not fit once does not fit again.
        if candidate.groups not in hopeless and book.allows(candidate, caps or {}):
            spots = _gang(list(free.values()), candidate, book, caps or {})
            if spots is not None:
                _occupy(free, candidate, spots)
                book.start(candidate, _counts(candidate, spots))
                starts.append(Start(id=candidate.id, spots=spots, kind=candidate.kind, attempt=candidate.attempt + 1))
            else:
                hopeless.add(candidate.groups)
                if not reserved and now - candidate.queued > RESERVE_SECONDS:
                    reserved = _reserve(free, usable, candidate)
        line.settle(candidate.workspace)
    return starts


def offer(
    candidates: Sequence[Candidate],
    *,
    nodes: Sequence[NodeCapacity],
    held: Iterable[Holding],
    offered: Collection[str],
    window: int,
    closed: Collection[str] = (),
    caps: Mapping[Subject, Cap] | None = None,
) -> list[str]:
    """Return whom to put into a cluster's queues next, in our order; what fits where is the cluster's to decide.

    `offered` are in a queue already and count as if they ran. At most `window` wait in the queue of one pool, so that
    who comes later can still be put before those we have not offered yet; pools in `closed` take nothing more.
    """
    book = _Book(nodes, held)
    waiting: defaultdict[str, int] = defaultdict(int)
    for candidate in candidates:
        if candidate.id in offered:
            waiting[candidate.pool] += 1
            book.start(candidate, {group.role: group.replicas for group in candidate.groups})
    line = _Line((candidate for candidate in candidates if candidate.id not in offered), book)
    found: list[str] = []
    while (candidate := line.pop()) is not None:
        if candidate.pool not in closed and waiting[candidate.pool] < window and book.allows(candidate, caps or {}):
            waiting[candidate.pool] += 1
            book.start(candidate, {group.role: group.replicas for group in candidate.groups})
            found.append(candidate.id)
        line.settle(candidate.workspace)
    return found


def everywhere(candidate: Candidate) -> Start:
    """Return the start of all replicas of one that a cluster has admitted: it says later on which nodes they are."""
    return Start(
        id=candidate.id,
        kind=candidate.kind,
        attempt=candidate.attempt + 1,
        spots=tuple(
            Spot(
                role=group.role,
                index=index,
                placement=Placement(node="", accelerators=tuple(range(group.demand.accelerators))),
            )
            for group in candidate.groups
            for index in range(group.replicas)
        ),
    )


def positions(
    candidates: Iterable[Candidate], *, nodes: Sequence[NodeCapacity], held: Sequence[Holding]
) -> dict[str, int]:
    """Return the place of each candidate in the line, from 1, as if each started in turn."""
    book = _Book(nodes, held)
    line = _Line(candidates, book)
    places: dict[str, int] = {}
    while (candidate := line.pop()) is not None:
        places[candidate.id] = len(places) + 1
        book.start(candidate, {group.role: group.replicas for group in candidate.groups})
        line.settle(candidate.workspace)
    return places


def remaining(nodes: Sequence[NodeCapacity], held: Iterable[Holding]) -> list[NodeCapacity]:
    """Return what is left of each node after what is held there."""
    left = {node.name: node for node in nodes}
    for item in held:
        node = left.get(item.node)
        if node is not None:
            left[item.node] = replace(
                node,
                cpu_milli=node.cpu_milli - item.cpu_milli,
                memory=node.memory - item.memory,
                accelerators=tuple(one for one in node.accelerators if one.index not in item.accelerators),
            )
    return list(left.values())


def fits(groups: Sequence[Group], free: Sequence[NodeCapacity]) -> bool:
    """Tell whether all the replicas that must start together fit into what is free."""
    return place(free, [group.demand for group in groups for _ in range(group.minimum)]) is not None


def _gang(
    free: list[NodeCapacity], candidate: Candidate, book: _Book, caps: Mapping[Subject, Cap]
) -> tuple[Spot, ...] | None:
    """Place every replica, else the minimum of each role and what more fits; None when that does not fit."""
    everything = [(group, index) for group in candidate.groups for index in range(group.replicas)]
    placed = place(free, [group.demand for group, _ in everything]) if _within(candidate, book, caps) else None
    if placed is not None:
        return _spots(everything, placed)
    chosen = [(group, index) for group, index in everything if index < group.minimum]
    placed = place(free, [group.demand for group, _ in chosen])
    if placed is None or len(chosen) == len(everything):
        return None if placed is None else _spots(chosen, placed)
    left = {node.name: node for node in free}
    for (group, _), spot in zip(chosen, placed, strict=True):
        left[spot.node] = take(left[spot.node], group.demand, spot)
    if _within(candidate, book, caps):
        for group, index in everything:
            one = place(list(left.values()), [group.demand]) if index >= group.minimum else None
            if one is not None:
                left[one[0].node] = take(left[one[0].node], group.demand, one[0])
                chosen.append((group, index))
                placed.append(one[0])
    return _spots(chosen, placed)


def _within(candidate: Candidate, book: _Book, caps: Mapping[Subject, Cap]) -> bool:
    """Tell whether all replicas, not only the minimum, stay within the limits on accelerators."""
    full = replace(candidate, groups=tuple(replace(group, minimum=group.replicas) for group in candidate.groups))
    return book.allows(full, caps)


def _spots(chosen: Sequence[tuple[Group, int]], placed: Sequence[Placement]) -> tuple[Spot, ...]:
    numbers: defaultdict[str, int] = defaultdict(int)
    spots: list[Spot] = []
    for (group, _), placement in zip(chosen, placed, strict=True):
        spots.append(Spot(role=group.role, index=numbers[group.role], placement=placement))
        numbers[group.role] += 1
    return tuple(spots)


def _counts(candidate: Candidate, spots: Sequence[Spot]) -> dict[str, int]:
    return {group.role: sum(spot.role == group.role for spot in spots) for group in candidate.groups}


def _occupy(free: dict[str, NodeCapacity], candidate: Candidate, spots: Sequence[Spot]) -> None:
    demands = {group.role: group.demand for group in candidate.groups}
    for spot in spots:
        node = spot.placement.node
        free[node] = take(free[node], demands[spot.role], spot.placement)


def _reserve(free: dict[str, NodeCapacity], usable: Sequence[NodeCapacity], candidate: Candidate) -> bool:
    """Keep what is left of the nodes that would hold `candidate`; tell whether there are such nodes."""
    spots = place(usable, [group.demand for group in candidate.groups for _ in range(group.minimum)])
    for spot in spots or ():
        free.pop(spot.node, None)
    return spots is not None


def _subjects(workspace: str, creator: str) -> tuple[Subject, Subject]:
    return ("workspace", workspace), ("user", creator)
