"""What the platform must know of the cluster it uses."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """One cluster.

    `image` is the platform's own: agents run in it, and whatever asks for no other. `platform_url` is the Hub's proxy
    as pods reach it: an address, a Service (`pumpkin.<namespace>` or longer), or a name outside the cluster. An empty
    `kubeconfig` means the service account of the pod we run in, an empty `storage_class` the cluster's default; homes
    need one that several nodes can mount at once (ReadWriteMany). `store_url` is the object store workloads reach
    themselves, empty if they go through the platform.
    """

    image: str
    platform_url: str
    store_url: str = ""
    kubeconfig: str = ""
    namespace_prefix: str = "pumpkin-"
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    storage_class: str = ""
    home_bytes: int = 10 * GIB
    cache_path: str = "/var/lib/pumpkin/cache"
    accelerator_resource: str = "nvidia.com/gpu"
    accelerator_label: str = "nvidia.com/gpu.product"
