"""Grants, as a spawner asks for them, without a Hub: what the platform promises it."""

from __future__ import annotations

import asyncio

import pytest

from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound
from pumpkin_services.workloads.models import Claim, GrantRequest, NotebookRequest
from tests.unit.workloads.house import House, user

SERVER = """
import http.server, os
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def request(spec: str = "slot", name: str = "", **options: object) -> GrantRequest:
    return GrantRequest(user="ann", server_name=name, options={"spec": spec, **options})


async def test_a_free_place_is_ready_at_once_and_its_claim_runs_the_server(house: House) -> None:
    grants = house.parts.grants
    grant = await grants.ask(request())
    assert grant.state == "ready"
    assert grant.expires is not None
    assert (await grants.ask(request())).workload == grant.workload
    claim = Claim(command=["python", "-c", SERVER], env={"PORT": "18765", "JUPYTERHUB_API_TOKEN": "secret"}, port=18765)
    running = await grants.claim(grant.workload, claim)
    assert (running.state, running.host, running.port) == ("running", "127.0.0.1", 18765)
    row = await house.row(grant.workload)
    assert row is not None
    assert row.claim is None
    assert (await grants.claim(grant.workload, claim)).state == "running"
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", 18765)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    else:
        raise AssertionError(await house.log(grant.workload, "notebook-0"))
    await grants.release(grant.workload)
    ended = await grants.get(grant.workload)
    assert (ended.state, ended.reason) == ("ended", "stopped_by_user")
    assert await house.held() == []


async def test_no_room_is_said_with_a_place_in_the_queue_and_what_is_free(house: House) -> None:
    blocker = await house.submit("sleep 100", spec="wide")
    await house.phase(blocker, "running")
    grant = await house.parts.grants.ask(request("wide"))
    assert (grant.state, grant.position) == ("queued", 1)
    assert [spec.name for spec in grant.free_specs] == ["paid", "slot"]
    with pytest.raises(Conflict):
        await house.parts.grants.claim(grant.workload, Claim(command=["true"], port=1))
    # From now on it is the platform that starts the server when its turn comes.
    row = await house.row(grant.workload)
    assert row is not None
    assert row.starter == "platform"
    await house.parts.grants.release(grant.workload)


async def test_a_grant_that_is_not_used_expires(empty_house: House) -> None:
    await empty_house.start_pipeline(grant_seconds=0.3)
    grant = await empty_house.parts.grants.ask(request())
    done = await empty_house.ended(grant.workload)
    assert (done.phase, done.reason) == ("stopped", "grant_expired")
    assert await empty_house.held() == []


async def test_a_server_that_ends_by_itself_tells_how(house: House) -> None:
    grant = await house.parts.grants.ask(request())
    await house.parts.grants.claim(grant.workload, Claim(command=["sh", "-c", "sleep 0.2; exit 4"], port=18766))
    done = await house.ended(grant.workload)
    assert (done.phase, done.exit_code) == ("failed", 4)
    ended = await house.parts.grants.get(grant.workload)
    assert (ended.state, ended.exit_code) == ("ended", 4)


async def test_a_server_has_one_notebook_at_a_time(house: House) -> None:
    grant = await house.parts.grants.ask(request(name="second"))
    async with house.parts.database.write() as session:
        with pytest.raises(Conflict, match="'second' is preparing already"):
            await house.parts.workloads.submit_notebook(
                session, user("ann"), request=NotebookRequest(name="second", spec="slot")
            )
    assert grant.state == "ready"


async def test_a_grant_of_somebody_elses_server_is_refused(house: House) -> None:
    grant = await house.parts.grants.ask(request())
    with pytest.raises(NotFound):
        await house.parts.grants.ask(
            GrantRequest(user="ben", server_name="", options={"spec": "slot", "grant": grant.workload})
        )


async def test_another_member_does_not_stop_my_server(house: House) -> None:
    async with house.parts.database.write() as session:
        row = await house.parts.workloads.submit_notebook(
            session, user("ann", "lab"), request=NotebookRequest(spec="slot", workspace="lab")
        )
    with pytest.raises(Forbidden, match="ann's server"):
        await house.stop(row.id, by=user("ben", "lab"))


async def test_the_servers_token_is_forgotten_once_it_runs_and_whenever_it_does_not(house: House) -> None:
    grants, kept = house.parts.grants, {"JUPYTERHUB_API_TOKEN": "very-secret"}
    for name, command in {"runs": ["sleep", "100"], "missing": ["/no/such/program"], "fails": ["false"]}.items():
        grant = await grants.ask(request(name=name))
        await grants.claim(grant.workload, Claim(command=command, env=kept, port=18766))
        row = await house.row(grant.workload)
        assert row is not None
        assert row.claim is None, (name, row.phase)
    # Stopped while its claim waits for the process: nobody can be sure any more what was started.
    grant = await grants.ask(request(name="stopped"))
    claiming = asyncio.create_task(grants.claim(grant.workload, Claim(command=["sleep", "100"], env=kept, port=18767)))
    await house.stop(grant.workload)
    await house.ended(grant.workload)
    await asyncio.gather(claiming, return_exceptions=True)
    row = await house.row(grant.workload)
    assert row is not None
    assert row.claim is None


async def test_freezing_a_user_stops_what_they_run_and_says_so(house: House) -> None:
    job, waiting = await house.submit("sleep 100"), await house.submit("sleep 100", spec="whole")
    other = await house.submit("sleep 100", by=user("ben"))
    await house.phase(job, "running")
    await house.phase(other, "running")
    async with house.parts.database.write() as session:
        root = user("root", admin=True)
        await house.parts.accounts.freeze(session, root, name="ann", reason="left", if_match=None)
    for workload in (job, waiting):
        ended = await house.ended(workload)
        assert (ended.phase, ended.reason) == ("stopped", "stopped_by_admin")
        assert "froze its user's account" in ended.message
    assert "stop" in await house.events(job)
    assert (await house.phase(other, "running")).phase == "running"


async def test_where_notebooks_are_processes_there_is_no_pod_and_a_claim_says_how_to_start(house: House) -> None:
    grant = await house.parts.grants.ask(request())
    with pytest.raises(Conflict, match="as processes"):
        await house.parts.grants.pod(grant.workload)
    with pytest.raises(Invalid, match="say how"):
        await house.parts.grants.claim(grant.workload, Claim(port=1))


async def test_a_claim_that_does_not_wait_is_answered_at_once(house: House) -> None:
    grant = await house.parts.grants.ask(request())
    claimed = await house.parts.grants.claim(grant.workload, Claim(command=["sleep", "30"], port=18768, wait=False))
    assert claimed.state in ("ready", "running")
    await house.parts.grants.release(grant.workload)
