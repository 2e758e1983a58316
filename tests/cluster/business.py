"""A platform on the rig that is open for business: pools of pretended and of real nodes, and a user with money."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.conftest import Cluster
from tests.cluster.house import on_cluster
from tests.cluster.rig.place import NODE
from tests.cluster.witness import ClusterBooks
from tests.integration.faults.books import MARK_START
from tests.integration.faults.conftest import PRICE, with_money
from tests.integration.house import House, User


@dataclass(frozen=True, kw_only=True)
class Busy:
    """The platform, its user `ann`, what its namespaces begin with, and its books."""

    house: House
    ann: User
    prefix: str
    books: ClusterBooks


def open_for_business(cluster: Cluster, far: Sequence[str], data: Path) -> Iterator[Busy]:
    """Yield a platform with the pools and specs `far` (these nodes) and `near` (the real one), which cost money."""
    prefix = f"pumpkin-t-{secrets.token_hex(3)}-"
    for house in on_cluster(cluster, data, prefix=prefix):
        yield Busy(house=house, ann=_furnish(house, far), prefix=prefix, books=ClusterBooks(house.data, prefix))


def _furnish(house: House, far: Sequence[str]) -> User:
    """Make the pools and specs and the user, and return her."""
    api = house.admin.api
    house.wait(
        lambda: (
            {*far, NODE}
            <= {node["name"] for node in api.get("/resources/nodes", params={"limit": 200}).json()["items"]}
        )
    )
    for name, nodes, cpu_milli, memory in (("far", far, 2000, 1 << 30), ("near", [NODE], 50, 64 << 20)):
        spec = {"name": name, "cpu_milli": cpu_milli, "memory": memory, "price_micro": PRICE}
        assert api.post("/resources/specs", json=spec).status_code == 201
        pool = {"name": name, "nodes": [*nodes], "specs": [name], "everyone": True, "priority": 10}
        assert api.post("/resources/pools", json=pool).status_code == 201
    return with_money(house)


def job(kind: str, spec: str, *, number: int, seconds: float) -> dict[str, Any]:
    """Return the request of a job of one of the kinds plain, pair, fails, retries, endless.

    What runs nowhere really has its time in a variable.
    """
    work = f"{MARK_START}sleep {seconds:.1f}"
    command = {
        "fails": f"{work}; exit 3",
        "retries": f"{work}; test $PUMPKIN_ATTEMPT -ge 2",
        "endless": f"{MARK_START}exec sleep 3600",
    }.get(kind, work)
    request: dict[str, Any] = {"name": f"{spec}-{kind}-{number}", "spec": spec, "command": command}
    if kind == "pair":
        request |= {"replicas": 2}
    if kind == "retries":
        request |= {"retries": 2, "backoff_seconds": 0.1}
    if spec == "far":
        request |= {"env": {"RIG_RUN_FOR": "1h" if kind == "endless" else f"{seconds:.1f}s"}}
    return request
