"""Every setting of the platform service, as traits: set them in `pumpkin_config.py` as `c.Platform.<name>`."""

from __future__ import annotations

import os
from pathlib import Path

from traitlets import Bool, Enum, Float, Int, List, Unicode, default
from traitlets.config import Configurable


class Platform(Configurable):
    """Settings of the platform service. Each default suits the embedded platform."""

    data_dir = Unicode(help="Folder that holds everything the embedded platform keeps.").tag(config=True)
    database_url = Unicode(
        help="SQLAlchemy URL of the database; SQLite in the data folder unless set "
        "(`mysql+asyncmy://…`, `postgresql+asyncpg://…`)."
    ).tag(config=True)
    environment_index = Unicode("", help="Package index for building environments; uv's own setting unless set.").tag(
        config=True
    )
    environment_builds = Int(1, help="Environments built at once by one replica of the service.").tag(config=True)
    environment_build_seconds = Float(1800.0, help="Seconds one build may take.").tag(config=True)
    environment_from_source = Bool(
        False,
        help="Build packages that come without a wheel. Building runs the package's own code with the rights of the "
        "platform: only for people you trust.",
    ).tag(config=True)
    environment_urls = Bool(False, help="Take requirements of the form `name @ https://…`.").tag(config=True)
    public_url = Unicode(
        help="Address of the Hub as workloads reach it; the Hub tells it to the service unless set."
    ).tag(config=True)
    currency = Unicode("¥", help="The sign shown before prices.").tag(config=True)
    default_balance = Unicode(
        "0", help="Machine money a new user starts with, as a decimal in whole units of the currency."
    ).tag(config=True)
    storage_price = Unicode(
        "0",
        help="Price of keeping one GiB for one day (UTC), as a decimal in whole units of the currency; 0: free.",
    ).tag(config=True)
    isolate = Unicode(
        "auto",
        help="Bound what a workload sees with bubblewrap: `auto` (when it works), `always` (else refuse to start), "
        "`never`.",
    ).tag(config=True)
    stop_grace = Float(10.0, help="Seconds between SIGTERM and SIGKILL when a workload is stopped.").tag(config=True)
    grant_lifetime = Float(120.0, help="Seconds a ready grant waits for its notebook before it is given back.").tag(
        config=True
    )
    lease_seconds = Float(10.0, help="How long the pipeline's lease lasts without renewal.").tag(config=True)
    deletion_grace = Float(3600.0, help="Seconds unreferenced data stays in the store before it is removed.").tag(
        config=True
    )
    cache_bytes = Int(50 << 30, help="Bytes of materialised versions kept on this node before the oldest go.").tag(
        config=True
    )
    import_hosts = List(
        Unicode(),
        help="Hosts that datasets, algorithms and models may be imported from by URL: `data.example.org`, "
        "`*.example.org`, `git.example.org:8443`, or `*` for every public host. Nothing may be unless set.",
    ).tag(config=True)
    import_networks = List(
        Unicode(),
        help="Networks (`10.1.0.0/16`) that imports may reach although they are not public; their hosts must be in "
        "`import_hosts` too.",
    ).tag(config=True)
    import_bytes = Int(100 << 30, help="Bytes one import from a URL may have.").tag(config=True)
    import_seconds = Float(21_600.0, help="Seconds one import from a URL may take.").tag(config=True)
    runtime = Enum(
        ("local", "volcano"),
        "local",
        help="Where workloads run: processes of this machine, or pods of a Kubernetes cluster with Volcano "
        "(see `c.Cluster`).",
    ).tag(config=True)
    run_pipeline = Bool(True, help="Whether this replica may hold the pipeline's lease.").tag(config=True)

    @default("data_dir")
    def _data_dir(self) -> str:
        return os.environ.get("PUMPKIN_DATA") or str(Path.home() / ".local/share/pumpkin")

    @default("public_url")
    def _public_url(self) -> str:
        return os.environ.get("PUMPKIN_URL", "")

    @default("database_url")
    def _database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.data_dir}/platform.sqlite"

    @property
    def data(self) -> Path:
        """The data folder as a path."""
        return Path(self.data_dir)


class Cluster(Configurable):
    """Settings of the cluster workloads run on, where `c.Platform.runtime = "volcano"`."""

    kubeconfig = Unicode("", help="Path of a kubeconfig; the pod's own service account unless set.").tag(config=True)
    namespace_prefix = Unicode("pumpkin-", help="Workspaces have namespaces named with this before them.").tag(
        config=True
    )
    image = Unicode("", help="The platform's image for notebooks and jobs, with a tag or digest.").tag(config=True)
    python = Unicode(
        "/usr/bin/python3",
        help="The Python environments are built for: it must be at this path in `image` and where the service runs.",
    ).tag(config=True)
    image_pull_policy = Unicode("IfNotPresent", help="When nodes pull images.").tag(config=True)
    image_pull_secrets = List(
        Unicode(), help="Names of the Secrets to pull with; they must be in each workspace's namespace."
    ).tag(config=True)
    platform_url = Unicode(help="Address of the Hub's proxy as pods reach it; `c.Platform.public_url` unless set.").tag(
        config=True
    )
    storage_class = Unicode("", help="StorageClass of homes; the cluster's default unless set.").tag(config=True)
    home_bytes = Int(10 << 30, help="Bytes of a home's volume.").tag(config=True)
    cache_path = Unicode("/var/lib/pumpkin/cache", help="Folder on each node that keeps inputs for its pods.").tag(
        config=True
    )
    accelerator_resource = Unicode("nvidia.com/gpu", help="The resource a device plugin offers.").tag(config=True)
    accelerator_label = Unicode(
        "nvidia.com/gpu.product", help="The nodes' label that names the type of their accelerators."
    ).tag(config=True)
