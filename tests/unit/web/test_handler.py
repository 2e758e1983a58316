from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import func, select

from pumpkin_services.web.tables import AuditRow

from .conftest import Site


async def audit_lines(site: Site) -> int:
    async with site.database.read() as session:
        return (await session.scalar(select(func.count()).select_from(AuditRow))) or 0


async def test_a_good_request_is_answered_with_its_revision_and_one_audit_line(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/things", json={"name": "digits"})
    assert (answer.status_code, answer.json()) == (201, {"name": "digits", "revision": 1})
    assert answer.headers["ETag"] == '"1"'
    assert site.after == ["digits"]
    async with site.database.read() as session:
        row = (await session.scalars(select(AuditRow))).one()
    assert (row.actor, row.action, row.object, row.status) == ("ann", "POST /things", "digits", 201)


async def test_a_question_by_post_keeps_no_answer_and_leaves_no_audit_line(site: Site) -> None:
    async with site.client("reader") as client:
        for name in ("one", "another"):
            answer = await client.post("/ask", json={"name": name}, headers={"Idempotency-Key": "the same"})
            assert (answer.status_code, answer.json()) == (200, {"name": name, "revision": 0})
        assert (await client.post("/ask", json={})).json()["errors"][0]["field"] == "name"


async def test_a_request_without_identity_is_refused(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url) as client:
        answer = await client.get("/audit")
    assert (answer.status_code, answer.json()["reason"]) == (401, "unauthenticated")
    async with site.client("unknown") as client:
        assert (await client.get("/audit")).status_code == 401


async def test_a_hub_that_cannot_be_asked_is_not_a_wrong_token(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers={"Authorization": "token abc"}) as client:
        answer = await client.get("/audit")
    assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")


async def test_a_missing_scope_is_named(site: Site) -> None:
    async with site.client("reader") as client:
        answer = await client.post("/things", json={"name": "digits"})
    assert answer.status_code == 403
    assert answer.json()["scope"] == "custom:pumpkin:datasets:write"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"name": "x"', 400, None),
        (b"\xff\xfe", 400, None),
        (b"", 422, ""),
        (b'{"name": "x", "colour": "red"}', 422, "colour"),
        (b'{"name": "x", "size": "big"}', 422, "size"),
        (b'{"name": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, None),
    ],
)
async def test_a_bad_body_is_refused_with_its_field(site: Site, body: bytes, status: int, field: str | None) -> None:
    async with site.client() as client:
        answer = await client.post("/things", content=body)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "reason"} <= problem.keys()
    if field is not None:
        assert problem["errors"][0]["field"] == field
    assert site.made == []


async def test_a_body_over_the_limit_is_refused_by_its_length_and_while_it_streams(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3000):
            yield b" " * 1024

    async with site.client() as client:
        announced = await client.post("/things", content=b" " * (2 << 20))
        streamed = await client.post("/things", content=endless())
    assert (announced.status_code, streamed.status_code) == (413, 413)


async def test_a_gigabyte_announced_is_refused_before_it_is_sent(site: Site) -> None:
    host, port = site.url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /services/pumpkin/api/v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: token pumpkin-w.ann\r\n"
        b"Content-Length: 1073741824\r\n\r\n"
    )
    status = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert b" 413 " in status


async def test_what_an_endpoint_refuses_leaves_no_trace(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/things", json={"name": "taken"})
    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "name", "message": "The name 'taken' is in use: choose another."}]
    assert site.after == []
    assert await audit_lines(site) == 0


async def test_a_bug_tells_the_caller_a_reference_and_nothing_else(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/things", json={"name": "bug"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["reference"]


async def test_the_same_idempotency_key_does_the_work_once(site: Site) -> None:
    async with site.client() as client:
        headers = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(client.post("/things", json={"name": "digits"}, headers=headers) for _ in range(5))
        )
        other = await client.post("/things", json={"name": "other"}, headers=headers)
    assert {answer.text for answer in answers} == {'{"name":"digits","revision":1}'}
    assert site.made == ["digits"]
    assert (other.status_code, other.json()["reason"]) == (409, "idempotency_key_reused")


async def test_the_key_of_one_caller_means_nothing_for_another(site: Site) -> None:
    headers = {"Idempotency-Key": "k1"}
    async with site.client("ann") as ann, site.client("ben") as ben:
        await ann.post("/things", json={"name": "digits"}, headers=headers)
        await ben.post("/things", json={"name": "digits"}, headers=headers)
    assert site.made == ["digits", "digits"]


async def test_an_edit_of_an_old_revision_is_refused(site: Site) -> None:
    async with site.client() as client:
        old = await client.patch("/things/a", json={"name": "b"}, headers={"If-Match": '"2"'})
        good = await client.patch("/things/a", json={"name": "b"}, headers={"If-Match": '"3"'})
        odd = await client.patch("/things/a", json={"name": "b"}, headers={"If-Match": '"x²"'.encode()})
    assert (old.status_code, good.status_code, odd.status_code) == (412, 200, 422)


async def test_pages_follow_each_other_without_gap_or_overlap(site: Site) -> None:
    async with site.client() as client:
        for number in range(7):
            await client.post("/things", json={"name": f"n{number}"})
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = (await client.get("/audit", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        bad = await client.get("/audit", params={"cursor": "%%%"})
        unknown = await client.get("/audit", params={"colour": "red"})
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)
    assert bad.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "colour"


async def test_events_resume_after_the_last_one_seen(site: Site) -> None:
    async with site.client() as client:
        whole = await client.get("/events")
        rest = await client.get("/events", headers={"Last-Event-ID": "2"})
    assert whole.headers["Content-Type"] == "text/event-stream"
    assert whole.text.count("event: tick") == 3
    assert rest.text == "id: 3\nevent: tick\ndata: line one\ndata: line 3\n\n"


async def test_an_upload_streams_and_a_refused_one_is_answered_while_it_is_being_sent(site: Site) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (1 << 18)

    async with site.client() as client:
        good = await client.put("/things/model", content=chunks())
        empty = await client.put("/things/empty", content=b"")
        refused = await client.put("/things/refused", content=chunks())
    assert good.json()["revision"] == 16 << 20
    assert empty.json()["revision"] == 0
    assert refused.status_code == 409


async def test_too_many_requests_are_told_when_to_come_back(site: Site) -> None:
    async with site.client("hasty") as client:
        answers = [await client.post("/things", content=b"{}") for _ in range(60)]
    assert 429 in {answer.status_code for answer in answers}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    async with site.client("calm") as client:
        assert (await client.post("/things", json={"name": "x"})).status_code == 201


async def test_a_method_that_is_not_there_names_those_that_are(site: Site) -> None:
    async with site.client() as client:
        answer = await client.delete("/things")
    assert answer.status_code == 405
    assert json.loads(answer.text)["detail"] == "DELETE is not possible here: use POST."
