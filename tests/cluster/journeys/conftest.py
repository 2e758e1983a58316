"""The journeys of one machine, on the cluster: the same tests, with a house whose workloads are pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.house import on_cluster
from tests.integration.house import House
from tests.integration.journeys.conftest import nothing_is_left_running, until

__all__ = ["nothing_is_left_running"]


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for house in on_cluster(cluster, tmp_path_factory.mktemp("house") / "data"):
        until(lambda house=house: house.admin.api.get("/resources/nodes").json()["items"])
        yield house
