"""Every setting of the platform service, as traits: set them in `pumpkin_config.py` as `c.Platform.<name>`."""

from __future__ import annotations

import os
from pathlib import Path

from traitlets import Bool, Float, Int, Unicode, default
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
