"""The parts of a platform whose workloads are pods: built only there, so that nobody else loads a Kubernetes client."""

from __future__ import annotations

from pumpkin_services.db import Database
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.pipeline.cluster import Cluster, ClusterPreparer
from pumpkin_services.pipeline.machines import MachineSync
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.runtimes.base import Runtime
from pumpkin_services.settings import Cluster as Settings
from pumpkin_services.settings import Platform
from pumpkin_services.storage.settings import S3
from pumpkin_services.workloads.tokens import Tokens


def on_cluster(
    platform: Platform,
    *,
    database: Database,
    resources: ResourceService,
    environments: EnvironmentService,
    tokens: Tokens,
) -> tuple[Runtime, Cluster]:
    """Return the runtime and the cluster that `c.Cluster` describes; raise `SystemExit` for what is not set."""
    from pumpkin_services.runtimes.volcano import ClusterSettings, manifests
    from pumpkin_services.runtimes.volcano.machines import VolcanoMachines
    from pumpkin_services.runtimes.volcano.runtime import VolcanoRuntime

    settings, s3 = Settings(config=platform.config), S3(config=platform.config)
    url = settings.platform_url or platform.public_url
    for name, value in (("Cluster.image", settings.image), ("Cluster.platform_url", url)):
        if not value:
            raise SystemExit(f"Set c.{name}: workloads on a cluster need it.")
    described = ClusterSettings(
        kubeconfig=settings.kubeconfig,
        namespace_prefix=settings.namespace_prefix,
        image=settings.image,
        image_pull_policy=settings.image_pull_policy,
        image_pull_secrets=tuple(settings.image_pull_secrets),
        platform_url=url,
        store_url=s3.client_endpoint,
        storage_class=settings.storage_class,
        home_bytes=settings.home_bytes,
        cache_path=settings.cache_path,
        accelerator_resource=settings.accelerator_resource,
        accelerator_label=settings.accelerator_label,
    )
    runtime = VolcanoRuntime(settings=described, data=platform.data)
    preparer = ClusterPreparer(
        data=platform.data, environments=environments, tokens=tokens, url=url, image=settings.image
    )
    machines = MachineSync(database=database, resources=resources, machines=VolcanoMachines(described))

    return runtime, Cluster(
        tickets=runtime,
        preparer=preparer,
        sync=machines.sync,
        notebook_pod=lambda launch: manifests.notebook_pod(described, launch),
    )
