"""Several streams of events over one connection.

Browsers keep six HTTP/1.1 connections to one place for all their tabs together, and ordinary requests need some too:
a page follows all it shows by one request, and asks anew, from where each stream stood, when that changes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, ValidationError

from pumpkin_services.problems import Invalid, NotFound, Problem
from pumpkin_services.web.auth import require_own_route, require_scope
from pumpkin_services.web.parsing import from_validation, refuse_nul
from pumpkin_services.web.routes import Call, Route
from pumpkin_services.web.sse import ServerSentEvent
from pumpkin_services.web.wire import Wire

AHEAD = 16
"""Events that are read before the caller takes them; what is slow to be taken is read slowly."""
SERVER_ERROR = 500


class StreamsQuery(Wire):
    """Which streams to follow."""

    follow: list[Annotated[str, Field(max_length=1000)]] = Field(
        min_length=1,
        max_length=64,
        description="The path of a stream with its query, and behind a '#' the id of the last event of it that is "
        "known: `/workloads/ID/logs/main-0/stream?offset=0#1024`. May be given repeatedly.",
    )


def together(routes: Sequence[Route]) -> Route:
    """Return the route that follows several of those among `routes` that stream events.

    Each event is told as its own stream would, its id preceded by the number of its stream in the request, counted
    from 0, and a space. A stream that is refused tells so by `refused`, with the problem as its data.
    """
    streams = [(re.compile(route.pattern()), route) for route in routes if route.streams == "text/event-stream"]

    async def follow(call: Call[None, StreamsQuery]) -> AsyncIterator[ServerSentEvent]:
        return _merged([_opened(streams, call, address) for address in call.query.follow])

    return Route(
        method="GET",
        path="/stream",
        summary="Follow several streams over one connection",
        scope=None,  # each stream asks for its own, and for its owner
        owner="any",
        endpoint=follow,
        query=StreamsQuery,
        session=False,
        streams="text/event-stream",
    )


async def _opened(
    streams: Sequence[tuple[re.Pattern[str], Route]], call: Call[Any, Any], address: str
) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of one stream, as if it had been asked for by itself."""
    inner, route = _inner(streams, call, address)
    events: AsyncIterator[ServerSentEvent] = await route.endpoint(inner)
    if inner.audit:
        await call.handler.record(route, inner)
    async for event in events:
        yield event


def _inner(
    streams: Sequence[tuple[re.Pattern[str], Route]], call: Call[Any, Any], address: str
) -> tuple[Call[Any, Any], Route]:
    parts = urlsplit(address)
    found = ((match, route) for pattern, route in streams if (match := pattern.fullmatch(parts.path)))
    match, route = next(found, (None, None))
    if match is None or route is None:
        raise NotFound(f"There is no stream '{parts.path[:80]}'.", field="follow")
    require_scope(call.principal, route.scope)
    require_own_route(call.principal, route.owner)
    path = {name: unquote(value) for name, value in match.groupdict().items()}
    values = dict(parse_qsl(parts.query))
    refuse_nul({**path, **values})
    if route.query is None and values:
        raise Invalid("This stream takes no query parameter.", field=next(iter(values)))
    try:
        query = route.query.model_validate(values) if route.query else None
    except ValidationError as error:
        raise from_validation(error) from error
    inner = Call[Any, Any](
        principal=call.principal,
        body=None,
        query=query,
        path=path,
        handler=call.handler,
        last_event_id=unquote(parts.fragment) or None,
    )
    return inner, route


async def _merged(streams: Sequence[AsyncIterator[ServerSentEvent]]) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of all streams as they come, until all have ended."""
    queue: asyncio.Queue[ServerSentEvent | Exception | None] = asyncio.Queue(AHEAD)

    async def feed(number: int, events: AsyncIterator[ServerSentEvent]) -> None:
        try:
            async for event in events:
                await queue.put(ServerSentEvent(id=f"{number} {event.id or ''}", event=event.event, data=event.data))
        except Exception as error:
            # What is the caller's to know ends this one; anything else breaks the connection, after which all go on.
            if not isinstance(error, Problem) or error.status >= SERVER_ERROR:
                await queue.put(error)
                return
            data = json.dumps(error.document(), ensure_ascii=False)
            await queue.put(ServerSentEvent(id=f"{number} ", event="refused", data=data))
        await queue.put(None)

    feeds = [asyncio.create_task(feed(number, events)) for number, events in enumerate(streams)]
    try:
        left = len(feeds)
        while left:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in feeds:
            task.cancel()
        await asyncio.gather(*feeds, return_exceptions=True)
