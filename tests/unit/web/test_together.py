from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from sqlalchemy import select

from pumpkin_services.web.tables import AuditRow

from .conftest import Site


async def follow(site: Site, *addresses: str, name: str = "ann") -> list[dict[str, str]]:
    """Return the events of several streams that all end."""
    async with site.client(name) as client:
        answer = await client.get("/stream", params={"follow": list(addresses)})
    assert answer.headers["Content-Type"] == "text/event-stream"
    return [dict(line.split(": ", 1) for line in event.splitlines()) for event in answer.text.split("\n\n") if event]


async def test_streams_are_told_by_their_number_each_from_where_it_was_left(site: Site) -> None:
    seen = await follow(site, "/events#2", "/things/short/events", "/events#1")
    told = sorted((event["id"], event["event"]) for event in seen)
    assert told == [("0 3", "tick"), ("1 ", "end"), ("2 2", "tick"), ("2 3", "tick")]


async def test_one_that_is_refused_says_why_and_the_others_go_on(site: Site) -> None:
    seen = await follow(site, "/things/missing/events", "/nothing", "/events?size=1", "/events#2", "/stream?follow=/x")
    refused = {event["id"]: json.loads(event["data"]) for event in seen if event["event"] == "refused"}
    assert {number: problem["status"] for number, problem in refused.items()} == {
        "0 ": 404, "1 ": 404, "2 ": 422, "4 ": 404,
    }  # fmt: skip
    assert refused["0 "]["detail"] == "There is no such thing."
    assert [event["id"] for event in seen if event["event"] == "tick"] == ["3 3"]


async def test_each_stream_asks_for_its_own_scope_and_writes_its_own_audit_line(site: Site) -> None:
    [event] = await follow(site, "/things/short/events", name="reader")
    assert json.loads(event["data"])["scope"] == "custom:pumpkin:datasets:write"
    assert await follow(site, "/things/short/events")
    async with site.database.read() as session:
        rows = (await session.scalars(select(AuditRow))).all()
    assert [(row.actor, row.action, row.object) for row in rows] == [("ann", "GET /things/{name}/events", "short")]


async def test_what_breaks_one_breaks_the_connection_so_that_all_are_asked_for_again(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await follow(site, "/things/bug/events", "/things/long/events")


async def test_nothing_is_left_running_when_the_caller_goes_away(site: Site) -> None:
    before = len(asyncio.all_tasks())
    async with site.client() as client, client.stream("GET", "/stream", params={"follow": ["/things/long/events"] * 9}):
        assert len(asyncio.all_tasks()) >= before + 9
    for _ in range(100):
        if len(asyncio.all_tasks()) <= before:
            return
        await asyncio.sleep(0.02)
    assert len(asyncio.all_tasks()) <= before
