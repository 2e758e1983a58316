# Made from pumpkin/_async/transport.py by `make models`; change that file, not this one.
"""Requests to the API: credentials, time-outs, retries, refusals as `PumpkinError`, pages and event streams."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from pumpkin._protocol import (
    ATTEMPTS,
    RETRY_STATUS,
    Event,
    EventParser,
    delay,
    given,
    is_passing,
    refusal,
    split_lines,
    store_away,
    unreachable,
)
from pumpkin._sync._compat import sleep
from pumpkin.config import Config
from pumpkin.errors import PumpkinError

M = TypeVar("M", bound=BaseModel)
STREAM_TIMEOUT = 45.0
"""Seconds without a byte (the platform sends a sign of life every 15) after which a stream is opened again."""
_authorities = cache(httpx.create_ssl_context)
"""Reading whom to trust takes a tenth of a second."""
RECONNECTS = 30
"""How many times in a row a broken event stream is opened again before giving up (about five minutes)."""


class Transport:
    """One connection pool to one platform. Every request is safe to repeat: POSTs carry an Idempotency-Key."""

    def __init__(self, config: Config, *, timeout: float, attempts: int = ATTEMPTS) -> None:
        self.config = config
        self.attempts = attempts
        headers = {"User-Agent": "pumpkin-sdk"} | ({"Authorization": f"token {config.token}"} if config.token else {})
        # The environment's proxies must not see what stays on this machine.
        trust_env = not config.url.startswith(("http://127.", "http://localhost"))
        self._http = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=10.0),
            limits=httpx.Limits(max_connections=16),
            trust_env=trust_env,
            verify=_authorities(trust_env=trust_env),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        content: bytes | Sequence[bytes | memoryview] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Send one request below the API's base, or to an absolute URL; return the successful response.

        `content` in several pieces needs a Content-Length among the `headers`, and a client that blocks.
        Connection trouble and 429, 502, 503, 504 are tried again with growing pauses. Raises `PumpkinError`.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        request = self._http.build_request(
            method,
            self._url(path),
            params=given(**query) if query else None,
            json=body,
            content=content,  # pyright: ignore[reportArgumentType] - takes any bytes, says `bytes`
            headers=sent,
            timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout,
        )
        if "X-Amz-" in str(request.url) or not str(request.url).startswith(self.config.api):
            request.headers.pop("Authorization", None)  # a signed URL needs none, another host must not see it
        for attempt in range(self.attempts):
            last = attempt == self.attempts - 1
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if last:
                    raise self._silent(request, error) from error
                sleep(delay(attempt))
                continue
            if response.is_success:
                return response
            if last or not is_passing(response):
                raise refusal(response)
            sleep(delay(attempt, response))
        raise AssertionError("unreachable: the last try returns or raises")

    def get(self, model: type[M], path: str, **query: Any) -> M:
        """GET `path` as `model`."""
        return model.model_validate_json((self.request("GET", path, query=query)).content)

    def post(self, model: type[M], path: str, body: Any = None) -> M:
        """POST `body` and return the answer as `model`."""
        return model.model_validate_json((self.request("POST", path, body=body)).content)

    def change(self, model: type[M], method: str, path: str, body: Any = None, *, revision: int | None = None) -> M:
        """PUT or PATCH `body`; with `revision`, only while that is the current one (else status 412)."""
        headers = None if revision is None else {"If-Match": f'"{revision}"'}
        return model.model_validate_json((self.request(method, path, body=body, headers=headers)).content)

    def delete(self, path: str) -> None:
        """DELETE `path`."""
        self.request("DELETE", path)

    def pages(self, model: type[M], path: str, *, limit: int | None = None, **query: Any) -> Iterator[M]:
        """Yield the items of a list, page after page, at most `limit` of them."""
        left, cursor = limit, None
        while True:
            size = 200 if left is None else min(left, 200)
            answer = self.request("GET", path, query={**query, "limit": size, "cursor": cursor})
            page = answer.json()
            for item in page["items"]:
                yield model.model_validate(item)
            cursor = page.get("next")
            left = None if left is None else left - len(page["items"])
            if cursor is None or left == 0:
                return

    @contextmanager
    def stream(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Generator[httpx.Response]:
        """Open a streamed response; raise `PumpkinError` when it is a refusal. The connection is not retried."""
        params = given(**query) if query else None
        try:
            with self._http.stream(
                method,
                self._url(path),
                params=params,
                headers=headers,
                timeout=httpx.Timeout(STREAM_TIMEOUT, connect=10.0),
            ) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response)
                yield response
        except httpx.TransportError as error:
            raise unreachable(self.config.url, error) from error

    def upload(
        self, path: str, content: Iterator[bytes] | bytes, *, query: dict[str, Any] | None = None
    ) -> httpx.Response:
        """PUT a stream of any length, once: it cannot be repeated. Raises `PumpkinError`."""
        try:
            response = self._http.put(
                self._url(path), params=given(**query) if query else None, content=content, timeout=httpx.Timeout(600.0)
            )
        except httpx.TransportError as error:
            raise unreachable(self.config.url, error) from error
        if not response.is_success:
            raise refusal(response)
        return response

    def events(self, path: str, *, query: dict[str, Any] | None = None, last_id: str | None = None) -> Iterator[Event]:
        """Yield server-sent events until the platform ends the stream with an event named `end`.

        A stream that breaks is opened again where it stopped (Last-Event-ID), through a restart of the platform too.
        """
        parser, failures = EventParser(last_id), 0
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": parser.last_id} if parser.last_id else {})
            try:
                with self.stream("GET", path, query=query, headers=headers) as response:
                    rest: list[str] = []
                    for text in response.iter_text():
                        for line in split_lines([text], rest):
                            event = parser.feed(line.removesuffix("\r"))
                            if event is not None:
                                failures = 0
                                yield event
                                if event.event == "end":
                                    return
            except PumpkinError as error:
                failures += 1
                passing = error.status == 0 or error.status in RETRY_STATUS
                if not passing or failures >= RECONNECTS:
                    raise
            parser = EventParser(parser.last_id)
            sleep(min(delay(failures), 10.0))

    def _silent(self, request: httpx.Request, error: Exception) -> PumpkinError:
        """Return the error for a request nothing answered: the platform, or the object store a signed URL leads to."""
        ours = str(request.url).startswith(self.config.origin)
        return unreachable(self.config.url, error) if ours else store_away(request.url.host, error)

    def _url(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            return path
        return self.config.api + path
