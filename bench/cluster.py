"""What the benchmarks on a cluster share: the tests' own one, brought up if need be, and a platform on it."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.conftest import Cluster
from tests.cluster.house import on_cluster
from tests.cluster.rig import fakes, life
from tests.cluster.rig.build import build
from tests.cluster.rig.place import HOST, KUBECONFIG
from tests.cluster.rig.products import product_images
from tests.cluster.rig.provisioner import CLASS
from tests.integration.house import House

from pumpkin_services.runtimes.volcano import ClusterSettings
from pumpkin_services.runtimes.volcano.api import Api, path

CLUSTER = Cluster(KUBECONFIG, CLASS)
PREFIX = "pumpkin-b-"
"""Of all namespaces of benchmarks."""


def bring_up(*, images: bool = True) -> None:
    """Start the tests' cluster unless it runs, with the images of this working tree if pods are real; it goes on."""
    life.check()
    build()
    life.up()
    fakes.remove_fake_nodes()  # of a run that was broken off: a notebook there would be ready at once, and be none
    if images:
        product_images()


@contextmanager
def cluster_house(name: str) -> Iterator[tuple[House, str]]:
    """Yield a platform on the cluster and the prefix of its namespaces."""
    prefix = f"{PREFIX}{secrets.token_hex(3)}-"
    with tempfile.TemporaryDirectory(prefix=f"pumpkin-bench-{name}-") as folder:
        more = f'c.Cluster.namespace_prefix = "{prefix}"'
        with contextmanager(on_cluster)(CLUSTER, Path(folder) / "data", more=more) as house:
            yield house, prefix


@asynccontextmanager
async def cluster_api(prefix: str) -> AsyncIterator[tuple[Api, ClusterSettings]]:
    """Yield the platform's own client of the cluster; when done, all namespaces with `prefix` are removed."""
    settings = ClusterSettings(
        image=CLUSTER.notebook_image,
        platform_url=f"http://{HOST}:9",
        kubeconfig=str(CLUSTER.kubeconfig),
        namespace_prefix=prefix,
        storage_class=CLUSTER.storage_class,
    )
    api = Api(settings)
    await api.open()
    try:
        yield api, settings
    finally:
        await _remove(api, prefix)
        await api.close()


async def _remove(api: Api, prefix: str) -> None:
    """Remove namespaces with what is in them, and the volumes of their caches.

    Pods get no time: one that does not listen would hold its node's room for half an hour.
    """
    for kind in ("Namespace", "PersistentVolume"):
        for item in await every(api, kind):
            if item["metadata"]["name"].startswith(prefix):
                await api.delete(kind, "", item["metadata"]["name"])
    for pod in await every(api, "Pod"):
        if pod["metadata"]["namespace"].startswith(prefix):
            await api.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], grace=0)


async def every(api: Api, kind: str, namespace: str = "") -> list[dict[str, Any]]:
    """Return all objects of a kind, or those of a namespace."""
    return [item async for page in api.pages(path(kind, namespace)) for item in page["items"]]


def wait(there: Callable[[], object], seconds: float, *, pause: float = 0.2) -> None:
    """Wait until `there()` is true; `RuntimeError` when it is not in time."""
    limit = time.monotonic() + seconds
    while not there():
        if time.monotonic() > limit:
            raise RuntimeError(f"not within {seconds:.0f} s: {there.__name__}")
        time.sleep(pause)
