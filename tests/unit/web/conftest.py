"""Needs nothing outside Python: a real tornado server over a real SQLite file, with a small route table of its own.

Callers identify themselves with workload tokens, the one kind of identity that needs no Hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.services.auth import HubOAuth
from sqlalchemy import func, select
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, NotFound, check_revision
from pumpkin_services.web import Call, Page, PageQuery, Route, ServerSentEvent, Wire, paginate
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import Limit, RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers
from pumpkin_services.web.tables import AuditRow
from pumpkin_services.web.together import together


class NewThing(Wire):
    name: str
    size: int = 0


class Thing(Wire):
    name: str
    revision: int


class AuditItem(Wire):
    id: str
    action: str


class AuditPage(Page[AuditItem]):
    pass


@dataclass
class Site:
    """The server under test and what its endpoints saw."""

    url: str
    database: Database
    made: list[str] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def client(self, name: str = "ann") -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"token pumpkin-w.{name}"})


def routes(site: Site) -> list[Route]:
    async def create(call: Call[NewThing, None]) -> Thing:
        site.made.append(call.body.name)
        call.audit["object"] = call.body.name
        call.after_commit(lambda: site.after.append(call.body.name))
        if call.body.name == "taken":
            raise Conflict("The name 'taken' is in use: choose another.", field="name")
        if call.body.name == "bug":
            raise RuntimeError("a secret detail")
        return Thing(name=call.body.name, revision=1)

    async def ask(call: Call[NewThing, None]) -> Thing:
        lines = await call.session.scalar(select(func.count()).select_from(AuditRow))
        return Thing(name=call.body.name, revision=lines or 0)

    async def edit(call: Call[NewThing, None]) -> Thing:
        check_revision(3, call.if_match)
        return Thing(name=call.body.name, revision=4)

    async def audit(call: Call[None, PageQuery]) -> AuditPage:
        rows, cursor = await paginate(call.session, select(AuditRow), key=AuditRow.id, query=call.query)
        return AuditPage(items=[AuditItem(id=row.id, action=row.action) for row in rows], next=cursor)

    async def events(call: Call[None, None]) -> AsyncIterator[ServerSentEvent]:
        async def stream() -> AsyncIterator[ServerSentEvent]:
            for number in range(int(call.last_event_id or 0) + 1, 4):
                yield ServerSentEvent(id=str(number), event="tick", data=f"line one\nline {number}")

        return stream()

    async def audited(call: Call[None, None]) -> AsyncIterator[ServerSentEvent]:
        call.audit["object"] = call.path["name"]
        if call.path["name"] == "missing":
            raise NotFound("There is no such thing.")

        async def stream() -> AsyncIterator[ServerSentEvent]:
            yield ServerSentEvent(event="end", data=call.path["name"])
            if call.path["name"] == "bug":
                raise RuntimeError("a secret detail")
            await asyncio.sleep(0 if call.path["name"] == "short" else 3600)

        return stream()

    async def upload(call: Call[None, None]) -> Thing:
        if call.path["name"] == "refused":
            raise Conflict("Not now.")
        size = 0
        async for chunk in call.stream():
            size += len(chunk)
        site.received.append(size)
        return Thing(name=call.path["name"], revision=size)

    any_scope: dict[str, Any] = {"owner": "any"}
    return [
        Route(method="POST", path="/things", summary="Make", scope="datasets:write", endpoint=create, request=NewThing,
              response=Thing, status=201, **any_scope),
        Route(method="POST", path="/ask", summary="Ask", scope="datasets:read", endpoint=ask, request=NewThing,
              response=Thing, asks=True, **any_scope),
        Route(method="PATCH", path="/things/{name}", summary="Edit", scope="datasets:write", endpoint=edit,
              request=NewThing, response=Thing, **any_scope),
        Route(method="PUT", path="/things/{name}", summary="Upload", scope="datasets:write", endpoint=upload,
              response=Thing, upload=True, session=False, **any_scope),
        Route(method="GET", path="/audit", summary="Audit", scope="datasets:read", endpoint=audit, query=PageQuery,
              response=AuditPage, **any_scope),
        Route(method="GET", path="/events", summary="Events", scope=None, endpoint=events, session=False,
              streams="text/event-stream", **any_scope),
        Route(method="GET", path="/things/{name}/events", summary="Of one", scope="datasets:write", endpoint=audited,
              session=False, streams="text/event-stream", **any_scope),
    ]  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/web.sqlite")
    await migrate(database)

    async def workload(token: str) -> Principal | None:
        name = token.split(".", 1)[1]
        scopes = {"custom:pumpkin:datasets:read"} | ({"custom:pumpkin:datasets:write"} if name != "reader" else set())
        return None if name == "unknown" else Principal(name=name, token=name, scopes=frozenset(scopes))

    async def admit(principal: Principal, _model: dict[str, Any]) -> Principal:
        return principal

    sock, port = bind_unused_port()
    site = Site(url=f"http://127.0.0.1:{port}/services/pumpkin/api/v1", database=database)
    hub_auth = HubOAuth(
        api_url="http://127.0.0.1:1/hub/api", api_token="x", base_url="/services/pumpkin/", oauth_client_id="service-x"
    )
    limiter = RateLimiter({"read": Limit(1000, 1000), "write": Limit(0.5, 50), "bulk": Limit(1000, 1000)})
    edge = Edge(
        database=database, authenticator=Authenticator(hub_auth, admit=admit, workload=workload), limiter=limiter
    )
    table = [*routes(site), together(routes(site))]
    app = application(handlers(table, edge=edge, prefix="/services/pumpkin/"), cookie_secret=b"x" * 32)
    server = HTTPServer(app, max_body_size=MAX_BODY, chunk_size=CHUNK)
    server.add_sockets([sock])
    yield site
    server.stop()
    await server.close_all_connections()
    await database.close()
