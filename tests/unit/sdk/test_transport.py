import pytest

from pumpkin import AsyncClient, Client, PumpkinError
from tests.unit.sdk.upstream import Request, ok, problem, upstream

BUSY = (503, {"Content-Type": "text/plain", "Retry-After": "0"}, b"busy")
POOL = {"items": [], "next": None}


def test_a_call_that_meets_a_busy_platform_is_tried_again():
    with upstream(lambda _, number: BUSY if number < 3 else ok(POOL)) as server, Client(server.url, "t") as client:
        assert list(client.resources.pools()) == []
        assert len(server.requests) == 3


def test_every_try_of_a_post_carries_the_same_idempotency_key():
    answers = [BUSY, problem(422, "no")]
    with upstream(lambda _, number: answers[number - 1]) as server, Client(server.url, "t") as client:
        with pytest.raises(PumpkinError):
            client.jobs.submit("a", "true", spec="s")
        keys = [request.headers["Idempotency-Key"] for request in server.requests]
        assert len(keys) == 2
        assert len(set(keys)) == 1


def test_a_refusal_carries_sentence_field_reason_and_status():
    refused = problem(422, "There is no spec 'x'.", errors=[{"field": "roles.0.spec", "message": "m"}], reason="spec")
    with upstream(lambda *_: refused) as server, Client(server.url, "t") as client:
        with pytest.raises(PumpkinError) as caught:
            client.jobs.submit("a", "true", spec="x")
        error = caught.value
        assert (error.detail, error.field, error.reason, error.status) == (
            "There is no spec 'x'.", "roles.0.spec", "spec", 422,
        )  # fmt: skip
        assert len(server.requests) == 1


def test_an_address_where_nothing_answers_is_named():
    with Client("http://127.0.0.1:9", "t") as client, pytest.raises(PumpkinError, match=r"127\.0\.0\.1:9") as caught:
        client.whoami()
    assert caught.value.reason == "unreachable"


def test_a_site_that_is_no_platform_is_said_to_be_none():
    page = (404, {"Content-Type": "text/html"}, b"<html>")
    with (
        upstream(lambda *_: page) as server,
        Client(server.url, "t") as client,
        pytest.raises(PumpkinError, match="not a Pumpkin platform"),
    ):
        client.whoami()


def test_pages_are_followed_to_the_last_and_no_further_than_asked():
    spec = {
        "id": "i", "name": "n", "description": "", "nodes": [], "specs": [], "kinds": [], "everyone": True,
        "workspaces": [], "users": [], "hub_roles": [], "priority": 0, "enabled": True,
        "guarantee_percent": 0, "deserved_percent": 0, "reclaimable": False, "parent": "",
        "created": "2026-01-01T00:00:00Z", "revision": 1, "unknown_to_us": 1,
    }  # fmt: skip

    def answer(request: Request, _: int) -> tuple[int, dict[str, str], bytes]:
        first = "cursor" not in request.path
        return ok({"items": [spec, spec], "next": "c" if first else None})

    with upstream(answer) as server, Client(server.url, "t") as client:
        assert len(list(client.resources.pools())) == 4


def test_a_broken_event_stream_goes_on_where_it_stopped():
    first = b'id: 1\nevent: event\ndata: {"n": 1}\n\nid: 2\nevent: event\ndata: {"n": 2}\n\nid: 3\ndata: cut'
    second = b'id: 3\nevent: event\ndata: {"n": 3}\n\nevent: end\ndata: {}\n\n'

    def answer(_: Request, number: int) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "text/event-stream"}, first if number == 1 else second

    with upstream(answer) as server, Client(server.url, "t") as client:
        events = list(client.jobs._transport.events("/x"))
        assert [event.id for event in events[:-1]] == ["1", "2", "3"]
        assert events[-1].event == "end"
        assert server.requests[1].headers["Last-Event-ID"] in ("2", "3")


def test_the_token_is_sent_to_the_platform_and_to_nobody_else():
    with upstream(lambda *_: ok({})) as server, upstream(lambda *_: ok({})) as store, Client(server.url, "t") as client:
        client.request("GET", "/health")
        client.request("PUT", f"{store.url}/signed")
        assert server.requests[0].headers["Authorization"] == "token t"
        assert "Authorization" not in store.requests[0].headers


async def test_the_asynchronous_client_does_the_same():
    with upstream(lambda _, number: BUSY if number < 2 else ok(POOL)) as server:
        async with AsyncClient(server.url, "t") as client:
            assert [pool async for pool in client.resources.pools()] == []
        assert len(server.requests) == 2
