"""Passes requests below `/pumpkin/api/` on to the platform, with the server's own token, streaming both ways.

Jupyter has checked who asks and the XSRF token before a byte is passed on. What travels is a short list of headers
in each direction: no cookie and no Authorization header ever leaves this server, none comes back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, cast
from urllib.parse import unquote

import httpx
from jupyter_server.base.handlers import APIHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from pumpkin import config
from pumpkin.errors import PumpkinError

PREFIX = "/pumpkin/api"
SENT = ("Accept", "Content-Type", "Content-Length", "If-Match", "Idempotency-Key", "Last-Event-ID", "Range")
RETURNED = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Content-Disposition",
    "Accept-Ranges",
    "ETag",
    "Retry-After",
    "Idempotency-Replayed",
    "X-Content-SHA256",
    "X-Log-Offset",
    "X-Log-Size",
)
DRAIN = 64 << 20
"""Bytes of a refused body that are read and thrown away so that the browser gets to read the refusal."""
TLS = httpx.create_ssl_context(trust_env=False)
"""Made once: it takes some 20 ms, and an open panel makes many requests."""
MAX_BODY = 1 << 40
"""Bytes of an upload; the platform has its own limits."""


@stream_request_body
class ProxyHandler(APIHandler):
    """One request to the platform."""

    write: Callable[..., None]
    # An open panel that looks at its jobs is no activity: the server may still be stopped as idle.
    _track_activity = False

    async def prepare(self) -> Any:
        """Let Jupyter check the caller, then begin to pass the request on while its body still arrives."""
        self._body: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)
        self._passing: asyncio.Task[None] | None = None
        self._refusal: PumpkinError | HTTPError | None = None
        try:
            await super().prepare()
            if self._finished:
                return
            if self.current_user is None:
                raise HTTPError(403)
        except HTTPError as error:
            # Answering in the middle of a body breaks the connection under a browser that is still sending.
            if int(self.request.headers.get("Content-Length") or 0) > DRAIN:
                raise
            self._refusal = error
            return
        connection: Any = self.request.connection
        connection.set_max_body_size(MAX_BODY)
        self._passing = asyncio.create_task(self._pass_on())

    async def data_received(self, chunk: bytes) -> None:
        """Hand on a piece of the body, waiting when the platform is slower."""
        if self._passing is not None:
            await self._first(self._body.put(chunk))

    async def get(self, path: str) -> None:
        """Finish passing the request on; `prepare` has checked the caller."""
        if self._passing is not None:
            await self._first(self._body.put(None))
            await self._passing
        if isinstance(self._refusal, HTTPError):
            raise self._refusal
        if self._refusal is not None:
            self._refuse(self._refusal)

    post = put = patch = delete = get

    def on_connection_close(self) -> None:
        """Stop when the browser went away."""
        if self._passing is not None:
            self._passing.cancel()

    async def _first(self, put: Any) -> None:
        """Wait for `put`, or for the end of a request that reads no more."""
        assert self._passing is not None
        task = asyncio.ensure_future(put)
        await asyncio.wait({task, self._passing}, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()

    async def _pass_on(self) -> None:
        try:
            settings = config.load()
            if not settings.token:
                raise PumpkinError("This server has no token for the platform: start it from the Hub.", status=503)
            url = settings.api + self._path() + (f"?{self.request.query}" if self.request.query else "")
            await self._exchange(url, settings.token)
        except PumpkinError as error:
            self._refusal = error
        except httpx.TransportError:
            self._refusal = PumpkinError("The platform is not answering right now: try again soon.", status=502)
        except StreamClosedError:
            pass

    def _path(self) -> str:
        """Return the path below the API, as the browser encoded it; refuse one that leads elsewhere."""
        _, _, raw = self.request.path.partition(PREFIX + "/")
        parts = [unquote(part) for part in raw.split("/")]
        if any(part in ("", ".", "..") or "\\" in part for part in parts[:-1]) or parts[-1] in (".", ".."):
            raise PumpkinError("This is no path of the platform's API.", status=404)
        return "/" + raw

    async def _exchange(self, url: str, token: str) -> None:
        headers = {name: self.request.headers[name] for name in SENT if name in self.request.headers}
        headers |= {"Authorization": f"token {token}", "Accept-Encoding": "identity"}
        has_body = "Content-Length" in headers or "Transfer-Encoding" in self.request.headers
        timeout = httpx.Timeout(10.0, read=None, write=None)
        async with (
            httpx.AsyncClient(timeout=timeout, trust_env=False, verify=TLS) as client,
            client.stream(
                self.request.method or "GET", url, headers=headers, content=self._chunks() if has_body else None
            ) as answer,
        ):
            self.set_status(answer.status_code)
            for name in RETURNED:
                if name in answer.headers:
                    self.set_header(name, answer.headers[name])
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Content-Type-Options", "nosniff")
            if answer.status_code not in (204, 304):
                await self.flush()
            async for chunk in answer.aiter_raw():
                self.write(chunk)
                await self.flush()
        await self.finish(set_content_type=self._headers.get("Content-Type", "application/json"))

    async def _chunks(self) -> AsyncIterator[bytes]:
        while (chunk := await self._body.get()) is not None:
            yield chunk

    def _refuse(self, error: PumpkinError) -> None:
        if self._headers_written:
            cast(Any, self.request.connection).stream.close()
            return
        self.set_status(error.status)
        document = {
            "type": "urn:pumpkin:problem:proxy",
            "title": "Not passed on",
            "status": error.status,
            "detail": str(error),
            "reason": error.reason,
        }
        self.finish(json.dumps(document), set_content_type="application/problem+json")
