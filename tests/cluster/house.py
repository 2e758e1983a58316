"""A whole platform on the cluster: Hub, proxy and service are processes of this machine, everything else is pods."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.asking import Asking, clear
from tests.cluster.conftest import Cluster
from tests.cluster.rig.place import FOLDER
from tests.integration.house import House


def on_cluster(cluster: Cluster, data: Path, *, more: str = "", prefix: str = "") -> Iterator[House]:
    """Yield a started platform whose namespaces are its own; take it down, and them with it.

    `more` is added to its settings; `prefix`, made up unless given, is what its namespaces begin with.
    """
    house = House(data=data)
    admin = Asking(kubeconfig=cluster.kubeconfig)
    # As the chart's agent on each node does.
    cache = FOLDER / "cache"
    cache.mkdir(exist_ok=True)
    cache.chmod(0o777)
    prefix = prefix or f"pumpkin-t-{secrets.token_hex(3)}-"
    house.configure(
        f"""
c.Pumpkin.ip = "0.0.0.0"
c.Pumpkin.spawner = c.Platform.runtime = "volcano"
c.Platform.public_url = "http://{address(admin)}:{house.port}"
c.Platform.stop_grace = 2
c.Cluster.kubeconfig = "{cluster.kubeconfig}"
c.Cluster.namespace_prefix = "{prefix}"
c.Cluster.image = "{cluster.notebook_image}"
c.Cluster.storage_class = "{cluster.storage_class}"
c.Cluster.cache_path = "{cache}"
{more}
"""
    )
    try:
        yield house.up()
    finally:
        house.tear_down()
        clear(admin, prefix)


def address(admin: Asking) -> str:
    """Return the address with which this machine reaches the nodes, where their pods reach it."""
    nodes = admin.get("/api/v1/nodes?labelSelector=!rig%2Ffake")["items"]
    told = nodes[0]["status"]["addresses"]
    node = next(item["address"] for item in told if item["type"] == "InternalIP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((node, 9))
        return str(probe.getsockname()[0])
