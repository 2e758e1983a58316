"""A real content store over a real SQLite file, a real server in front of it, and a small client of its protocol."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from jupyterhub.services.auth import HubOAuth
from sqlalchemy.ext.asyncio import AsyncSession
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from pumpkin_services.algorithms import api as algorithms_api
from pumpkin_services.algorithms.service import AlgorithmService
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.imports import ImportSettings
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.datasets import api as datasets_api
from pumpkin_services.datasets.service import DatasetService
from pumpkin_services.db import Database, new_id
from pumpkin_services.db.migrate import migrate
from pumpkin_services.events import Wakeups
from pumpkin_services.models import api as models_api
from pumpkin_services.models.service import ModelService
from pumpkin_services.principal import Principal, WorkspaceRole
from pumpkin_services.problems import Invalid
from pumpkin_services.storage import api as storage_api
from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.storage.files import FolderStore
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import Limit, RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers

BASE_URL = "/services/pumpkin/api/v1"
WORKSPACES = {"ann", "bob", "lab", "root"}
BELONGING: dict[str, dict[str, WorkspaceRole]] = {
    "ann": {"ann": "owner", "lab": "owner"},
    "bob": {"bob": "owner"},
    "eve": {"eve": "owner", "lab": "viewer"},
    "root": {"root": "owner"},
}


@dataclass
class World:
    """The parts under test. `limits` are the workspaces' storage limits."""

    root: Path
    database: Database
    store: Any
    artifacts: ArtifactService
    datasets: DatasetService
    algorithms: AlgorithmService
    models: ModelService
    limits: dict[str, int] = field(default_factory=dict)

    async def dataset(self, name: str = "digits", *, who: str = "ann") -> Owned:
        async with self.database.write() as session:
            asset = await self.datasets.create(
                session, principal(who), request=self.datasets.wire_create.model_validate({"name": name})
            )
        return Owned(kind="dataset", asset_id=asset.id, workspace=who, name=name)

    async def capture(self, owned: Owned, files: Mapping[str, bytes], *, source: str | None = None) -> str:
        folder = self.root / "made" / new_id()
        write_files(folder, files)
        made, _ = await self.artifacts.ingest.capture(
            folder, owned=owned, creator=owned.workspace, source=source or new_id()
        )
        return made

    async def contents(self, version_id: str) -> dict[str, bytes]:
        from pumpkin_services.artifacts.tables import VersionRow

        async with self.database.read() as session:
            row = await session.get_one(VersionRow, version_id)
        found: dict[str, bytes] = {}
        for entry in self.artifacts.reads.entries(row):
            pieces = self.artifacts.reads.read_file(row, entry=entry, start=0, end=entry.size)
            found[entry.path] = b"".join([piece async for piece in pieces])
        return found

    def objects(self) -> int:
        return sum(1 for _ in self.store.list())


def principal(name: str) -> Principal:
    verbs = ("read", "write", "admin") if name == "root" else ("read", "write")
    scopes = frozenset(
        f"custom:pumpkin:{kind}:{verb}" for kind in ("datasets", "algorithms", "models") for verb in verbs
    )
    return Principal(name=name, token=name, scopes=scopes, workspaces=BELONGING.get(name, {name: "owner"}))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@asynccontextmanager
async def make_world(
    root: Path,
    *,
    cache_bytes: int = 1 << 30,
    store: ObjectStore | None = None,
    imports: ImportSettings | None = None,
) -> AsyncIterator[World]:
    root.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite+aiosqlite:///{root}/platform.sqlite")
    await migrate(database)
    store = store or FolderStore(root / "objects", base_url=BASE_URL, secret=b"s" * 32)
    limits: dict[str, int] = {}

    async def limit(_session: AsyncSession, workspace: str) -> int | None:
        return limits.get(workspace)

    async def require_workspace(_session: AsyncSession, name: str, *, field: str) -> None:
        if name not in WORKSPACES:
            raise Invalid(f"There is no workspace '{name}'.", field=field)

    async def principal_of(_session: AsyncSession, *, user: str, field: str = "user") -> Principal:
        return principal(user)

    artifacts = ArtifactService(
        database=database,
        store=store,
        wakeups=Wakeups(),
        limit=limit,
        cache_root=root / "cache",
        cache_bytes=cache_bytes,
        imports=imports,
    )
    artifacts.imports.principal_of = principal_of
    kinds: dict[str, Any] = {"artifacts": artifacts, "require_workspace": require_workspace}
    world = World(
        root,
        database,
        store,
        artifacts,
        DatasetService(**kinds),
        AlgorithmService(**kinds),
        ModelService(**kinds),
        limits,
    )
    yield world
    await artifacts.stop()
    await database.close()


@dataclass
class Site:
    """The server under test; `client(name)` calls it as that person."""

    world: World
    url: str

    def client(self, name: str = "ann") -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"token pumpkin-w.{name}"}, timeout=120, trust_env=False
        )


@asynccontextmanager
async def make_site(world: World) -> AsyncIterator[Site]:
    async def identify(token: str) -> Principal | None:
        return principal(token.split(".", 1)[1])

    async def admit(caller: Principal, _model: dict[str, Any]) -> Principal:
        return caller

    hub_auth = HubOAuth(
        api_url="http://127.0.0.1:1/hub/api", api_token="x", base_url="/services/pumpkin/", oauth_client_id="service-x"
    )
    high = Limit(1e6, 1e6)
    edge = Edge(
        database=world.database,
        authenticator=Authenticator(hub_auth, admit=admit, workload=identify),
        limiter=RateLimiter({"read": high, "write": high, "bulk": high}),
    )
    routes = [
        *storage_api.routes(world.store),
        *datasets_api.routes(world.datasets, world.artifacts),
        *algorithms_api.routes(world.algorithms, world.artifacts),
        *models_api.routes(world.models, world.artifacts),
    ]
    sock, port = bind_unused_port()
    app = application(handlers(routes, edge=edge, prefix="/services/pumpkin/"), cookie_secret=b"x" * 32)
    server = HTTPServer(app, max_body_size=MAX_BODY, chunk_size=CHUNK)
    server.add_sockets([sock])
    yield Site(world, f"http://127.0.0.1:{port}/services/pumpkin/api/v1")
    server.stop()
    await server.close_all_connections()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(files: Mapping[str, bytes], *, cut: int = 16 << 20) -> bytes:
    lines = []
    for path, data in sorted(files.items()):
        parts = [data[at : at + cut] for at in range(0, len(data), cut)]
        chunks = [{"hash": sha(part), "size": len(part)} for part in parts]
        line = {"path": path, "size": len(data), "mode": 0o644, "sha256": sha(data), "chunks": chunks}
        lines.append(json.dumps(line) + "\n")
    return gzip.compress("".join(lines).encode())


async def begin(client: httpx.AsyncClient, base: str) -> str:
    answer = await client.post(f"{base}/uploads")
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def send(client: httpx.AsyncClient, base: str, upload: str, chunks: Mapping[str, bytes]) -> int:
    """Send what is missing of `chunks`, as one pack; return how many bytes were sent."""
    answer = await client.post(f"{base}/uploads/{upload}/missing", json={"hashes": list(chunks)})
    assert answer.status_code == 200, answer.text
    missing = answer.json()["missing"]
    pack = b"".join(chunks[digest] for digest in missing)
    if not pack:
        return 0
    answer = await client.post(f"{base}/uploads/{upload}/objects", json={"sizes": [len(pack)], "sha256": [sha(pack)]})
    assert answer.status_code == 200, answer.text
    target = answer.json()["objects"][0]
    sent = await client.put(place(client, target["url"]), content=pack, headers=target["headers"], auth=_no_token)
    assert sent.is_success, sent.text
    index = {"chunks": [{"hash": digest, "size": len(chunks[digest])} for digest in missing]}
    answer = await client.put(f"{base}/uploads/{upload}/objects/{target['id']}", json=index)
    assert answer.status_code == 204, answer.text
    return len(pack)


def place(client: httpx.AsyncClient, url: str) -> str:
    """Return a signed URL as an absolute one: the store's, or one of our own API."""
    return url if "://" in url else str(client.base_url).split("/services/")[0] + url


def _no_token(request: httpx.Request) -> httpx.Request:
    del request.headers["Authorization"]
    return request


async def push(client: httpx.AsyncClient, base: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Upload a whole version by the protocol; return the finished upload with `sent` bytes."""
    upload = await begin(client, base)
    sent = await send(client, base, upload, {sha(data): data for data in files.values() if data})
    answer = await client.put(f"{base}/uploads/{upload}/manifest", content=manifest(files))
    assert answer.status_code == 200, answer.text
    answer = await client.post(f"{base}/uploads/{upload}/commit")
    assert answer.status_code == 202, answer.text
    answer = await client.get(f"{base}/uploads/{upload}", params={"wait": 20})
    return answer.json() | {"sent": sent}
