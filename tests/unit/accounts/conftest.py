"""Needs nothing outside Python: the real rules over a real SQLite file and a real JupyterHub (without a proxy).

`hub`: one Hub for the session, with the platform's own service and scopes. Make users of your own: `hub.user()`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pumpkin_services.accounts.service import AccountService
from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import PREFIX, Principal

SERVICE_TOKEN, ADMIN_TOKEN = "s" * 32, "a" * 32

CONFIG = """
from jupyterhub.proxy import Proxy
from pumpkin_hub import hub_patches, scopes

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {}

# A notebook server as far as the Hub can tell: it answers.
SERVER = '''
import os, http.server, urllib.parse
url = urllib.parse.urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.HTTPServer((url.hostname, url.port), http.server.SimpleHTTPRequestHandler).serve_forever()
'''
import os, sys
hub_patches.apply()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_port = int(os.environ["TEST_HUB_PORT"])
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.custom_scopes = scopes.custom_scopes()
c.JupyterHub.extra_user_scopes = scopes.user_scopes()
c.Authenticator.allow_all = True
c.Spawner.cmd = [sys.executable, "-c", SERVER]
c.SimpleLocalProcessSpawner.home_dir_template = os.getcwd()
c.JupyterHub.services = [
    {"name": scopes.SERVICE, "api_token": "SERVICE_TOKEN", "url": "http://127.0.0.1:1"},
    {"name": scopes.SPAWNER_SERVICE, "api_token": "b" * 32},
    {"name": "test-admin", "api_token": "ADMIN_TOKEN", "admin": True},
]
c.JupyterHub.load_roles = scopes.roles()
""".replace("SERVICE_TOKEN", SERVICE_TOKEN).replace("ADMIN_TOKEN", ADMIN_TOKEN)


@dataclass
class RealHub:
    """A running Hub, and an admin's access to it."""

    api_url: str
    admin: httpx.Client
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self, prefix: str = "user") -> str:
        """Return a name nobody has yet."""
        return f"{prefix}{next(self._numbers)}"

    def user(self, prefix: str = "user", *, admin: bool = False) -> str:
        """Make a user and return the name."""
        name = self.name(prefix)
        self.ask("POST", f"/users/{name}", {"admin": admin})
        return name

    def token(self, user: str) -> str:
        """Return a new token with everything the user may do."""
        return str(self.ask("POST", f"/users/{user}/tokens", {"note": "test"})["token"])

    def ask(self, method: str, path: str, json: Any = None) -> Any:
        answer = self.admin.request(method, path, json=json)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def groups(self, user: str) -> list[str]:
        return self.ask("GET", f"/users/{user}")["groups"]

    def model(self, user: str) -> dict[str, Any]:
        """Return the user model as the Hub's answer to a token has it."""
        return self.ask("GET", f"/users/{user}")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "jupyterhub_config.py").write_text(CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
            cwd=folder,
            env={**os.environ, "TEST_HUB_PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    api_url = f"http://127.0.0.1:{port}/hub/api"
    admin = httpx.Client(base_url=api_url, headers={"Authorization": f"token {ADMIN_TOKEN}"}, timeout=30)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "log").read_text()[-4000:]
            try:
                admin.get("/info").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield RealHub(api_url, admin)
    finally:
        admin.close()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture
async def client(hub: RealHub) -> AsyncIterator[HubClient]:
    found = HubClient(api_url=hub.api_url, token=SERVICE_TOKEN, patience=5)
    yield found
    found.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database: migrating one per test would take most of the time."""
    path = tmp_path_factory.mktemp("accounts") / "template.sqlite"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await migrate(database)
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{shutil.copy(template, tmp_path / 'accounts.sqlite')}")
    yield database
    await database.close()


@pytest.fixture
def accounts(database: Database, client: HubClient) -> AccountService:
    return AccountService(database=database, hub=client)


def caller(name: str, *, admin: bool = False) -> Principal:
    verb = "admin" if admin else "write"
    scopes = {f"{PREFIX}accounts:{word}" for word in ("read", "write", verb)}
    return Principal(name=name, token=name, scopes=frozenset(scopes))
