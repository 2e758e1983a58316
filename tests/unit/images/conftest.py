"""Needs the package registry uv is set up for (tests marked so), else only what each fixture starts itself:

a real server over a real SQLite file, the real builder with the real uv, and a small package index of our own.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.services.auth import HubOAuth
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.events import Wakeups
from pumpkin_services.images.api import routes
from pumpkin_services.images.builder import Builder, BuildSettings
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.uv import UvSettings
from pumpkin_services.principal import Principal
from pumpkin_services.problems import NotFound
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import Limit, RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers

BASE = "/services/pumpkin/api/v1"


def person(name: str) -> Principal:
    """ann and bob share the workspace `lab` (bob only views); carl is alone; root administers."""
    scopes = frozenset(f"custom:pumpkin:images:{verb}" for verb in ("read", "write", *(["admin"] * (name == "root"))))
    workspaces: dict[str, Any] = {name: "owner"}
    if name in ("ann", "bob"):
        workspaces["lab"] = "owner" if name == "ann" else "viewer"
    return Principal(name=name, token=name, scopes=scopes, workspaces=workspaces)


class Workspaces:
    """The accounts' side: which workspaces there are."""

    async def require_workspace(self, _session: Any, name: str, *, field: str) -> None:
        if name not in ("ann", "bob", "carl", "root", "lab"):
            raise NotFound(f"There is no workspace '{name}'.", field=field)


@dataclass
class Platform:
    """The module under test, wired as the platform wires it."""

    url: str
    root: Path
    database: Database
    wakeups: Wakeups
    service: EnvironmentService
    users: list[str] = field(default_factory=list)
    """What the workloads' side answers to "who uses it"."""

    def client(self, name: str = "ann") -> httpx.AsyncClient:
        headers = {"Authorization": f"token pumpkin-w.{name}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    @asynccontextmanager
    async def building(self, **settings: Any) -> AsyncIterator[Builder]:
        """Run a builder meanwhile."""
        settings.setdefault("lease", 3.0)
        builder = Builder(
            database=self.database, wakeups=self.wakeups, root=self.root, settings=BuildSettings(**settings)
        )
        task = asyncio.create_task(builder.run())
        try:
            yield builder
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def create(self, name: str, requirements: Any, *, who: str = "ann", **more: Any) -> dict[str, Any]:
        async with self.client(who) as client:
            answer = await client.post("/images", json={"name": name, "requirements": requirements, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def version(self, environment: str, number: int = 1, *, who: str = "ann") -> dict[str, Any]:
        async with self.client(who) as client:
            return (await client.get(f"/images/{environment}/versions/{number}")).json()

    async def ended(self, environment: str, number: int = 1, *, seconds: float = 120) -> dict[str, Any]:
        """Wait for the end of a build and return the version."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            version = await self.version(environment, number)
            if version["state"] not in ("queued", "building"):
                return version
            await asyncio.sleep(0.1)
        raise AssertionError(f"the build did not end: {self.service.files.log(version['id']).read_text()}")


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/platform.sqlite")
    await migrate(database)
    wakeups = Wakeups()
    root = tmp_path / "environments"
    service = EnvironmentService(database=database, wakeups=wakeups, accounts=Workspaces(), root=root)

    async def workload(token: str) -> Principal | None:
        return person(token.split(".", 1)[1])

    async def admit(principal: Principal, _model: dict[str, Any]) -> Principal:
        return principal

    hub_auth = HubOAuth(
        api_url="http://127.0.0.1:1/hub/api", api_token="x", base_url="/services/pumpkin/", oauth_client_id="service-x"
    )
    limiter = RateLimiter({kind: Limit(1000, 1000) for kind in ("read", "write", "bulk")})
    edge = Edge(
        database=database, authenticator=Authenticator(hub_auth, admit=admit, workload=workload), limiter=limiter
    )
    app = application(handlers(routes(service), edge=edge, prefix="/services/pumpkin/"), cookie_secret=b"x" * 32)
    sock, port = bind_unused_port()
    server = HTTPServer(app, max_body_size=MAX_BODY, chunk_size=CHUNK)
    server.add_sockets([sock])
    platform = Platform(f"http://127.0.0.1:{port}{BASE}", root, database, wakeups, service)

    async def in_use(_session: Any, _versions: list[str]) -> list[str]:
        return platform.users

    service.in_use = in_use
    yield platform
    server.stop()
    await server.close_all_connections()
    await database.close()


class Index:
    """A package index on this machine: wheels made on the spot, fetches counted, and held back while `gate` is shut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate = threading.Event()
        self.gate.set()
        self.downloads: list[str] = []
        index = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".whl"):
                    index.downloads.append(self.path.lstrip("/"))
                    index.gate.wait(60)
                try:
                    super().do_GET()
                except BrokenPipeError:
                    pass

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def wheel(self, name: str, version: str = "1.0", *, requires: tuple[str, ...] = (), size: int = 0) -> None:
        """Publish a wheel with one module and one console script, both called like the package."""
        file = self.folder / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        files = {
            f"{name}.py": f"version = {version!r}\ndef main():\n    import sys; print({name!r}, sys.prefix)\n",
            f"{name}_data.bin": "x" * size,
            f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {item}\n" for item in requires),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[console_scripts]\n{name}={name}:main\n",
        }
        record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(file, "w") as archive:
            for path, text in {**files, f"{info}/RECORD": record}.items():
                archive.writestr(path, text)
        # Metadata beside the wheel, as large indexes have it: locking then downloads no wheel.
        beside = self.folder / f"{file.name}.metadata"
        beside.write_text(files[f"{info}/METADATA"])
        self.link(name, file, metadata=hashlib.sha256(beside.read_bytes()).hexdigest())

    def link(self, name: str, file: Path, *, metadata: str = "") -> None:
        page = self.folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        extra = f' data-core-metadata="sha256={metadata}"' if metadata else ""
        with page.open("a") as text:
            text.write(f'<a href="/{file.name}#sha256={digest}"{extra}>{file.name}</a>\n')

    @property
    def uv(self) -> UvSettings:
        return UvSettings(index=self.url)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    folder = tmp_path / "index"
    (folder / "simple").mkdir(parents=True)
    index = Index(folder)
    yield index
    index.gate.set()
    index.server.shutdown()
    index.server.server_close()
