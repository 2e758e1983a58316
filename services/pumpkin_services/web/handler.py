"""The one tornado handler behind every API route: identify, limit, check, run, record, answer.

A mutating call is one transaction: what the endpoint changed, its audit line and its idempotency record
are committed together or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from inspect import isawaitable
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from pumpkin_services.db import Database, table, utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Invalid, Problem, TooLarge, TooManyRequests
from pumpkin_services.web.auth import Authenticator, HubHandler, require_own_route, require_scope
from pumpkin_services.web.looks import Looks
from pumpkin_services.web.parsing import from_validation, refuse_nul, refuse_nul_in_body, require_json
from pumpkin_services.web.ratelimit import RateLimiter
from pumpkin_services.web.routes import Call, Route
from pumpkin_services.web.sse import HEARTBEAT, HEARTBEAT_SECONDS, ServerSentEvent
from pumpkin_services.web.tables import AuditRow, IdempotencyRow

log = logging.getLogger("pumpkin.web")
IDEMPOTENCY_LIFETIME = timedelta(days=1)
DRAIN = 64 << 20
"""A refused body is read and thrown away so that the caller gets to read the refusal; after so many bytes the refusal
is sent though the body goes on."""
LINGER = 4 << 30
"""Bytes of a refused body after which the connection is closed."""
ADD_AUDIT = insert(table(AuditRow))
ANONYMOUS = Principal(name="", token="signed")


@dataclass(frozen=True, kw_only=True)
class Edge:
    """What every handler shares."""

    database: Database
    authenticator: Authenticator
    limiter: RateLimiter
    looks: Looks = field(default_factory=Looks)


@stream_request_body
class ApiHandler(HubHandler):
    """Serves one path of the table; `routes` maps methods to its rows."""

    def initialize(self, edge: Edge, routes: dict[str, Route]) -> None:
        """Take what `app` hands to every handler."""
        self.edge = edge
        # The mixin brings the Hub's XSRF check, applied to cookie callers while they are identified.
        self.hub_auth = edge.authenticator.hub_auth
        self.routes = routes
        self._buffer = bytearray()
        self._body_done = False
        self._refusal: Problem | None = None
        self._drained = 0
        self._lingering = False
        self._chunks: asyncio.Queue[bytes | None] | None = None
        self._running: asyncio.Task[None] | None = None
        self.principal: Principal = ANONYMOUS

    def set_default_headers(self) -> None:
        """Answers are data: never rendered, sniffed or framed."""
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    async def prepare(self) -> None:
        """Identify and limit before a byte of the body is read; start the endpoint of an upload."""
        try:
            route = self.routes.get(self.request.method or "")
            if route is None:
                self.set_header("Allow", ", ".join(sorted(self.routes)))
                raise _MethodNotAllowed(f"{self.request.method} is not possible here: use {', '.join(self.routes)}.")
            self.route = route
            if not route.signed:
                self.principal = await self.edge.authenticator.identify(self)
                self.edge.limiter.take(self.principal.token, route.rate_class)
                require_scope(self.principal, route.scope)
                require_own_route(self.principal, route.owner)
            length = self.request.headers.get("Content-Length", "")
            if not route.upload and length.isdigit() and int(length) > route.max_body:
                raise TooLarge(f"The body has {length} bytes, this route takes {route.max_body} at most.")
            if route.upload:
                self._chunks = asyncio.Queue(maxsize=4)
                self._running = asyncio.create_task(self._serve())
        except Problem as problem:
            self._refuse(problem)

    async def data_received(self, chunk: bytes) -> None:
        """Feed an upload's endpoint (with back-pressure) or collect a small body (within its limit)."""
        if self._refusal is not None:
            self._drained += len(chunk)
            if self._drained > LINGER:
                self.finish()
            elif self._drained > DRAIN and not self._lingering:
                self._answer_early(self._refusal)
            return
        if self._chunks is not None:
            put = asyncio.create_task(self._chunks.put(chunk))
            assert self._running is not None
            # An endpoint that has already refused the upload reads no more: do not wait for it.
            await asyncio.wait({put, self._running}, return_when=asyncio.FIRST_COMPLETED)
            put.cancel()
            return
        self._buffer += chunk
        if len(self._buffer) > self.route.max_body:
            self._buffer.clear()
            self._refuse(TooLarge(f"This route takes a body of {self.route.max_body} bytes at most."))

    def _refuse(self, problem: Problem) -> None:
        """Answer a refusal, once the caller has had his say or it is known to be long.

        Closing the connection under a caller (or a proxy) who is still sending would lose the answer.
        """
        self._refusal = problem
        length = self.request.headers.get("Content-Length", "0")
        if self._body_done:
            self._answer_problem(problem)
        elif length.isdigit() and int(length) > DRAIN:
            self._answer_early(problem)

    def _answer_early(self, problem: Problem) -> None:
        payload = self._problem(problem)
        self.set_header("Content-Length", str(len(payload)))
        self.set_header("Connection", "close")
        self.write(payload)
        self.flush()
        self._lingering = True

    def on_connection_close(self) -> None:
        """Stop the work of a caller who went away."""
        if self._running is not None:
            self._running.cancel()

    async def body_stream(self) -> AsyncIterator[bytes]:
        """Iterate over an upload's body as it arrives."""
        assert self._chunks is not None
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _dispatch(self, *_args: str, **_kwargs: str) -> None:
        self._body_done = True
        if self._refusal is None:
            running = self._running or asyncio.create_task(self._serve())
            self._running = running
            if self._chunks is not None and not running.done():
                put = asyncio.create_task(self._chunks.put(None))
                await asyncio.wait({put, running}, return_when=asyncio.FIRST_COMPLETED)
                put.cancel()
            try:
                await running
            except asyncio.CancelledError:
                if not cast(Any, self.request.connection).stream.closed():
                    raise
        if self._lingering and not self._finished:
            self.finish()
        elif self._refusal is not None and not self._finished:
            self._answer_problem(self._refusal)

    head = options = get = post = put = patch = delete = _dispatch

    async def _serve(self) -> None:
        try:
            await self._run(self.route)
        except StreamClosedError:
            pass
        except Problem as problem:
            self._refuse(problem)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("%s %s failed (reference %s)", self.request.method, self.request.path, reference)
            problem = Problem(
                f"Something broke on our side; nothing was changed. Tell an admin the reference {reference}.",
                reason="internal",
                reference=reference,
            )
            problem.status = 500
            self._refuse(problem)

    async def _run(self, route: Route) -> None:
        query, body = self._parse(route)
        call = Call[Any, Any](
            principal=self.principal,
            body=body,
            query=query,
            path={name: str(value) for name, value in self.path_kwargs.items()},
            handler=self,
            if_match=self._if_match(),
            last_event_id=self.request.headers.get("Last-Event-ID"),
        )
        if not route.session:
            result = await route.endpoint(call)
            if (route.changes or call.audit) and not route.signed:
                async with self.edge.database.write() as session:
                    await session.execute(ADD_AUDIT, self._line(route, call))
            await self._answer(route, result)
        elif not route.changes:
            async with self.edge.database.read() as session:
                call._session = session  # pyright: ignore[reportPrivateUsage]
                result = await route.endpoint(call)
            if call.audit:
                await self.record(route, call)
            await self._answer(route, result)
        else:
            await self._mutate(route, call)

    def _parse(self, route: Route) -> tuple[Any, Any]:
        """Return the checked query and body; raise `Invalid` naming each field that is not as declared."""
        try:
            query = body = None
            refuse_nul(self.path_kwargs)
            if route.query is not None:
                values = self._query_values()
                refuse_nul(values)
                query = route.query.model_validate(values)
            elif self.request.arguments and not route.signed:
                unknown = sorted(set(self.request.arguments) - {"_xsrf", "token"})
                if unknown:
                    raise Invalid("This route takes no query parameter.", field=unknown[0])
            if route.request is not None and not route.upload:
                require_json(self.request.headers.get("Content-Type"))
                body = route.request.model_validate_json(
                    bytes(self._buffer) or (b"{}" if route.optional_body else b"null")
                )
                refuse_nul_in_body(self._buffer)
        except ValidationError as error:
            raise from_validation(error) from error
        return query, body

    async def _mutate(self, route: Route, call: Call[Any, Any]) -> None:
        if route.prepare is not None:
            call.prepared = await route.prepare(call)
        async with self._idempotent(route) as (replay, session, record):
            if replay is not None:
                self.set_header("Idempotency-Replayed", "true")
                self._write(replay.status, replay.body)
                return
            call._session = session  # pyright: ignore[reportPrivateUsage]
            result = await route.endpoint(call)
            status, payload = _render(route, result)
            record(status, payload)
            if route.audited and not route.signed:
                await session.execute(ADD_AUDIT, self._line(route, call))
        await self._after_commit(call)
        self._etag(result)
        self._write(status, payload)

    async def _after_commit(self, call: Call[Any, Any]) -> None:
        for function in call._after:  # pyright: ignore[reportPrivateUsage]
            try:
                outcome = function()
                if isawaitable(outcome):
                    await outcome
            except Exception:
                # The change is made and must be answered as made; what follows it catches up by itself.
                log.exception("after %s %s", self.request.method, self.request.path)

    @asynccontextmanager
    async def _idempotent(self, route: Route) -> AsyncGenerator[tuple[IdempotencyRow | None, AsyncSession, Any]]:
        """Open the write session; look up and record the answer when the caller sent an Idempotency-Key."""
        sent = self.request.headers.get("Idempotency-Key")
        if sent is not None and not 1 <= len(sent) <= 200:
            raise Invalid("An Idempotency-Key has 1 to 200 characters.", field="Idempotency-Key")
        key = hashlib.sha256(f"{self.principal.kind}\0{self.principal.name}\0{sent}".encode()).hexdigest()
        fingerprint = hashlib.sha256(f"{route.method}\0{self.request.path}\0".encode() + self._buffer).hexdigest()
        async with self.edge.database.write() as session:
            row = None if sent is None else await session.get(IdempotencyRow, key)
            if row is not None and row.created < utcnow() - IDEMPOTENCY_LIFETIME:
                await session.delete(row)
                await session.flush()
                row = None
            if row is not None and row.fingerprint != fingerprint:
                raise Conflict(
                    "This Idempotency-Key was used for another request: use a new one.",
                    field="Idempotency-Key",
                    reason="idempotency_key_reused",
                )

            def record(status: int, payload: bytes) -> None:
                if sent is not None:
                    session.add(IdempotencyRow(key=key, fingerprint=fingerprint, status=status, body=payload))

            yield row, session, record

    async def record(self, route: Route, call: Call[Any, Any]) -> None:
        """Write the audit line of somebody's look, unless he has looked at the same just before."""
        if self.edge.looks.goes_on(line := self._line(route, call)):
            return
        async with self.edge.database.write() as session:
            await session.execute(ADD_AUDIT, line)
        self.edge.looks.note(line)

    def _line(self, route: Route, call: Call[Any, Any]) -> dict[str, Any]:
        facts = dict(call.audit)
        return {
            "actor": self.principal.name,
            "kind": self.principal.kind,
            "action": f"{route.method} {route.path}",
            "object": str(facts.pop("object", "") or "/".join(call.path.values()))[:255],
            "owner": str(facts.pop("owner", ""))[:255],
            "status": route.status if route.response or route.streams else 204,
            "address": (self.request.remote_ip or "")[:64],
            "detail": facts,
        }

    async def _answer(self, route: Route, result: Any) -> None:
        if route.streams is None or isinstance(result, BaseModel):
            status, payload = _render(route, result)
            self._etag(result)
            self._write(status, payload)
            return
        if result is None:  # the endpoint wrote its answer itself
            if not self._finished:
                await self.finish()
            return
        if "Content-Type" not in self._headers or self._headers["Content-Type"].startswith("text/html"):
            self.set_header("Content-Type", route.streams)
        if route.streams == "text/event-stream":
            self.set_header("X-Accel-Buffering", "no")
            await self._write_events(result)
        else:
            async for chunk in result:
                self.write(chunk)
                await self.flush()
        await self.finish()

    async def _write_events(self, events: AsyncIterator[ServerSentEvent]) -> None:
        await self.flush()
        iterator = aiter(events)
        pending: asyncio.Task[ServerSentEvent] | None = None
        try:
            while True:
                pending = pending or asyncio.ensure_future(anext(iterator))
                done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_SECONDS)
                if not done:
                    self.write(HEARTBEAT)
                else:
                    self.write(pending.result().encode())
                    pending = None
                await self.flush()
        except StopAsyncIteration:
            return
        finally:
            if pending is not None:
                pending.cancel()
                await asyncio.wait({pending})
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def _write(self, status: int, payload: bytes) -> None:
        self.set_status(status)
        if status == 204:
            self.clear_header("Content-Type")
            self.finish()
            return
        self.set_header("Content-Type", "application/json")
        self.finish(payload)

    def _etag(self, result: Any) -> None:
        revision = getattr(result, "revision", None)
        if isinstance(revision, int):
            self.set_header("ETag", f'"{revision}"')

    def compute_etag(self) -> None:
        """Use only our own revisions: hashing every answer would cost and mean nothing."""
        return None

    def _if_match(self) -> int | None:
        value = self.request.headers.get("If-Match")
        if value is None or value == "*":
            return None
        bare = value.strip().removeprefix("W/").strip('"')
        if not bare.isascii() or not bare.isdigit() or len(bare) > 18:
            raise Invalid("If-Match takes an ETag this API handed out.", field="If-Match")
        return int(bare)

    def _query_values(self) -> dict[str, Any]:
        assert self.route.query is not None
        fields = self.route.query.model_fields
        values: dict[str, Any] = {}
        for name in self.request.arguments:
            if name in ("_xsrf", "token") and name not in fields:
                continue
            got = self.get_query_arguments(name)
            many = name in fields and "list" in str(fields[name].annotation)
            values[name] = got if many else (got[-1] if got else "")
        return values

    def _answer_problem(self, problem: Problem) -> None:
        if self._headers_written:
            # Mid-stream nothing can be said any more: breaking the connection tells the client it is not whole.
            cast(Any, self.request.connection).stream.close()
            return
        self.finish(self._problem(problem))

    def _problem(self, problem: Problem) -> bytes:
        self.set_status(problem.status)
        self.set_header("Content-Type", "application/problem+json")
        # What was said of a body that does not come after all.
        self.clear_header("Content-Length")
        self.clear_header("Content-Disposition")
        if problem.status != 416:
            self.clear_header("Content-Range")
        if isinstance(problem, TooManyRequests):
            self.set_header("Retry-After", str(problem.extra.get("retry_after", 1)))
        return json.dumps(problem.document()).encode()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Give tornado's own refusals (a malformed query, say) the same form."""
        problem = Problem("The request is malformed: check the URL and its encoding.", reason="bad_request")
        problem.status = status_code
        self._answer_problem(problem)


class _MethodNotAllowed(Problem):
    status = 405
    reason = "method_not_allowed"
    title = "Method not allowed"


def _render(route: Route, result: Any) -> tuple[int, bytes]:
    if route.response is None:
        return 204, b""
    model = result if isinstance(result, BaseModel) else route.response.model_validate(result)
    return route.status, model.model_dump_json().encode()
