"""Fixtures of the tests that need a Kubernetes with Volcano.

It is one of our own, see `tests.cluster.rig`, built and started by the first test that asks, unless
PUMPKIN_TEST_KUBECONFIG names another. That other must have Volcano and the images of `helm/images`, can pull them, and
has a default storage class. `cluster` says all about it, `kubeconfig` only where to ask; `namespace` is one of a test's
own. `accelerators` and `fake_nodes` are there only with our own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import kubernetes.client
import kubernetes.config
import pytest

from tests.cluster.rig import fakes, life
from tests.cluster.rig.build import build
from tests.cluster.rig.place import IMAGES, KUBECONFIG
from tests.cluster.rig.products import product_images
from tests.cluster.rig.provisioner import CLASS

EXISTING = os.environ.get("PUMPKIN_TEST_KUBECONFIG", "")
ACCELERATORS = 4
FAKE_NODES = 8


@dataclass(frozen=True)
class Cluster:
    """Where it is, and what the tests may use of it. An empty storage class is the default one."""

    kubeconfig: Path
    storage_class: str
    notebook_image: str = IMAGES["notebook"]
    platform_image: str = IMAGES["platform"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time the tests alone: their fixtures may compile a Kubernetes."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if EXISTING:
        yield Cluster(Path(EXISTING), "")
        return
    if os.geteuid() != 0:
        pytest.skip("A cluster of its own needs root; PUMPKIN_TEST_KUBECONFIG names an existing one.")
    was_up = life.is_up()
    # What it says on the way goes to the terminal, for the first time takes minutes.
    with cast(Any, request.config.pluginmanager.getplugin("capturemanager")).global_and_fixture_disabled():
        life.check()
        build()
        life.up()
        product_images()
    yield Cluster(KUBECONFIG, CLASS)
    if not was_up:
        life.down()


@pytest.fixture(scope="session")
def kubeconfig(cluster: Cluster) -> Path:
    return cluster.kubeconfig


@pytest.fixture
def namespace(kubeconfig: Path) -> Iterator[str]:
    core: Any = cast(Any, kubernetes.client).CoreV1Api(
        cast(Any, kubernetes.config).new_client_from_config(str(kubeconfig), persist_config=False)
    )
    name = f"pumpkin-t-{secrets.token_hex(4)}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


@pytest.fixture(scope="session")
def accelerators(cluster: Cluster) -> Iterator[int]:
    """So many nvidia.com/gpu on the real node, with nothing behind them."""
    if EXISTING:
        pytest.skip("Only our own cluster can pretend to have accelerators.")
    fakes.gpus(ACCELERATORS)
    yield ACCELERATORS
    fakes.gpus(0)


@pytest.fixture(scope="module")
def fake_nodes(cluster: Cluster) -> Iterator[int]:
    """So many nodes that kwok plays, of 8 accelerators each; their pods run at once and succeed a second later."""
    if EXISTING:
        pytest.skip("Only our own cluster can pretend to have nodes.")
    fakes.fake_nodes(FAKE_NODES)
    yield FAKE_NODES
    fakes.remove_fake_nodes()


@pytest.fixture(scope="module")
def far(fake_nodes: int) -> Iterator[list[str]]:
    """The names of the pretended nodes, which meanwhile take the platform's workloads and nobody else's."""
    names = [f"fake-{number}" for number in range(fake_nodes)]
    fakes.taint(names, "pumpkin.io/pool")
    yield names
    fakes.taint(names, "rig/fake")
