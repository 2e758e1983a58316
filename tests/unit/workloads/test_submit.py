"""What is refused at submit, and what people see of their workloads."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from sqlalchemy import text

from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Problem
from pumpkin_services.resources.models import LimitValues
from pumpkin_services.workloads import notebooks
from pumpkin_services.workloads.models import (
    Batch,
    EstimateRequest,
    JobRequest,
    WorkloadPatch,
    WorkloadQuery,
)
from pumpkin_services.workloads.service import job_yaml
from tests.unit.workloads.house import House, user

GOOD: dict[str, Any] = {"name": "job", "spec": "slot", "command": "true"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spec": "none"}, "spec"),
        ({"spec": "gpu"}, "spec"),
        ({"environment": "nothing@1"}, "environment"),
        ({"environment": "Not A Name"}, "environment"),
        ({"datasets": ["there-is-none"]}, "datasets.0"),
        ({"algorithm": "there-is-none@2"}, "algorithm"),
        ({"models": ["x", "../y"]}, "models.0"),
        ({"workspace": "elsewhere"}, "workspace"),
        ({"replicas": 9}, "spec"),
        ({"spec": "paid", "budget_micro": 1}, "budget_micro"),
        ({"spec": "paid", "replicas": 8, "name": "dear", "budget_micro": 100}, "budget_micro"),
        (
            {"spec": None, "command": None, "roles": [{"name": "a", "command": "x", "spec": "nope"}]},
            "roles.0.spec",
        ),
    ],
)
async def test_what_can_never_run_is_refused_naming_the_field(
    empty_house: House, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Problem) as caught:
        await empty_house.submit(**{**GOOD, **change})
    assert [item["field"] for item in caught.value.errors] == [field]
    async with empty_house.parts.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM workloads")) == 0


async def test_a_spec_that_never_fits_names_the_largest_that_would(empty_house: House) -> None:
    with pytest.raises(Invalid, match="The largest that would is 'whole'"):
        await empty_house.submit("true", spec="gpu")


@pytest.mark.parametrize("name", ["..", "a..b", "a\nb", "x" * 10_000, "🎃", "", "UP", "-a"])
def test_a_strange_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        JobRequest(name=name, spec="slot", command="true")


@pytest.mark.parametrize(
    "change",
    [
        {"env": {"1X": "y"}},
        {"env": {"PUMPKIN_TOKEN": "mine"}},
        {"env": {"X": "a\0b"}},
        {"env": {"X": "y" * 70_000}},
        {"roles": []},
        {"roles": [{"name": "a", "command": "x", "spec": "slot"}]},
        {"command": []},
        {"retries": -1},
        {"priority": 101},
        {"unknown": 1},
    ],
)
def test_a_request_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobRequest.model_validate({**GOOD, **change})


async def test_limits_refuse_what_they_say(empty_house: House) -> None:
    house = empty_house
    async with house.parts.database.write() as session:
        await house.parts.resources.limits.set_limit(
            session, user("root", admin=True), kind="user", subject="*", values=LimitValues(queued=2), if_match=None
        )
    await house.submit("true")
    await house.submit("true")
    with pytest.raises(Conflict, match="You may have 2 workloads waiting"):
        await house.submit("true")


async def test_a_workspace_sees_and_stops_what_its_members_run(empty_house: House) -> None:
    house = empty_house
    job = await house.submit("true", by=user("ann", "lab"), workspace="lab")
    async with house.parts.database.read() as session:
        assert (await house.parts.workloads.visible(session, user("ben", "lab"), workload=job)).id == job
        with pytest.raises(NotFound):
            await house.parts.workloads.visible(session, user("eve"), workload=job)
    await house.stop(job, by=user("ben", "lab"))
    row = await house.row(job)
    assert row is not None
    assert (row.target, row.stop_reason) == ("stop", "stopped_by_user")


async def test_lists_are_filtered_and_paged(empty_house: House) -> None:
    house = empty_house
    both = user("ann", "lab")
    made: list[str] = []
    for number in range(7):
        workspace, labels = ("ann", "lab")[number % 2], ["odd"][: number % 2]
        made.append(await house.submit("true", by=both, name=f"job-{number}", workspace=workspace, labels=labels))
    await house.submit("true", by=user("eve"), name="foreign")

    async def ids(**query: Any) -> list[str]:
        async with house.parts.database.read() as session:
            page = await house.parts.queries.list(session, both, query=WorkloadQuery(**query))
            found = [item.id for item in page.items]
            while page.next:
                page = await house.parts.queries.list(session, both, query=WorkloadQuery(**query, cursor=page.next))
                found += [item.id for item in page.items]
        return found

    newest = made[::-1]
    assert await ids() == newest
    assert await ids(limit=2) == newest
    assert await ids(workspace="lab") == made[5::-2]
    assert await ids(label="odd") == made[5::-2]
    assert await ids(q="JOB-3") == [made[3]]
    assert await ids(phase=["running"]) == []
    assert await ids(phase=["running", "queued"], limit=3) == newest
    assert await ids(kind="notebook") == []
    async with house.parts.database.read() as session:
        with pytest.raises(Forbidden):
            await house.parts.queries.list(session, both, query=WorkloadQuery(everything=True))
        root = await house.parts.queries.list(session, user("root", admin=True), query=WorkloadQuery(everything=True))
        assert len(root.items) == 8


@pytest.mark.parametrize(
    "query",
    [{}, {"phase": ["running"]}, {"phase": ["queued", "running"]}, {"kind": "notebook"}, {"workspace": "lab"}],
)
async def test_a_page_is_read_from_an_index_without_sorting(empty_house: House, query: dict[str, Any]) -> None:
    from pumpkin_services.workloads.queries import _page, scope

    both = user("ann", "lab")
    asked = WorkloadQuery(**query)
    statement = _page(asked, scope(both, workspace=asked.workspace), both)
    async with empty_house.parts.database.read() as session:
        dialect = empty_house.parts.database.engine.dialect
        compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in await session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
    inner = [line for line in plan if "USING" in line and "workloads" in line]
    assert inner
    assert all("ix_workloads_workspace" in line or "PRIMARY KEY" in line or "autoindex" in line for line in inner), plan
    assert not any("SCAN workloads" in line and "USING" not in line for line in plan), plan


async def test_a_job_comes_back_as_yaml_and_runs_again_from_it(empty_house: House) -> None:
    house = empty_house
    job = await house.submit(["echo", "ü"], name="first", retries=2, labels=["x"])
    row = await house.row(job)
    assert row is not None
    async with house.parts.database.read() as session:
        document = job_yaml(await notebooks.request_of(session, row))
    assert yaml.safe_load(document) == {
        "name": "first", "spec": "slot", "command": ["echo", "ü"], "retries": 2, "labels": ["x"]
    }  # fmt: skip
    async with house.parts.database.write() as session:
        again = await house.parts.workloads.submit_yaml(session, user("ann"), text=document)
        third = await house.parts.workloads.rerun(session, user("ann"), workload=job)
    assert again.request == row.request
    assert third.request == {**row.request, "workspace": "ann"}


@pytest.mark.parametrize(
    "document", ["[1]", "a: [", "!!python/object:os.system {}", "name: x\nspec: slot\nfoo: 1", "[" * 5000]
)
async def test_bad_yaml_is_refused(empty_house: House, document: str) -> None:
    async with empty_house.parts.database.write() as session:
        with pytest.raises(Invalid):
            await empty_house.parts.workloads.submit_yaml(session, user("ann"), text=document)


async def test_what_changed_meanwhile_is_not_overwritten(empty_house: House) -> None:
    house = empty_house
    job = await house.submit("true")
    async with house.parts.database.write() as session:
        edit = house.parts.workloads.edit
        row = await edit(session, user("ann"), workload=job, patch=WorkloadPatch(priority=5, labels=["a"]), if_match=1)
        assert (row.priority, row.labels, row.revision) == (5, ["a"], 2)
        with pytest.raises(PreconditionFailed):
            await edit(session, user("ann"), workload=job, patch=WorkloadPatch(notes="x"), if_match=1)


async def test_a_batch_does_what_it_can_and_says_the_rest(empty_house: House) -> None:
    house = empty_house
    job, foreign = await house.submit("true"), await house.submit("true", by=user("eve"))
    async with house.parts.database.write() as session:
        result = await house.parts.workloads.batch(
            session, user("ann"), batch=Batch(action="delete", ids=[job, foreign, "nothing"])
        )
    assert [(item.id, item.done) for item in result.items] == [(job, True), (foreign, False), ("nothing", False)]


async def test_an_estimate_says_price_place_and_what_is_free(empty_house: House) -> None:
    house = empty_house
    ask = EstimateRequest(job=JobRequest(**{**GOOD, "spec": "paid", "replicas": 2}))
    async with house.parts.database.write() as session:
        found = await house.parts.queries.estimate(session, user("ann"), request=ask)
    assert (found.price_micro, found.starts_now, found.forecast.position) == (7_200_000, True, 1)
    assert found.hours is not None
    assert [item.name for item in found.free_specs] == ["paid", "slot", "wide", "whole"]


async def test_a_workloads_token_is_good_for_its_own_things_until_it_ends(house: House) -> None:
    job = await house.submit('printf %s "$PUMPKIN_TOKEN"; sleep 100')

    async def printed() -> bool:
        return len(await house.log(job)) > 60

    await house.phase(job, "running")
    await house.until(printed)
    token = await house.log(job)
    principal = await house.parts.tokens.principal_for(token)
    assert principal is not None
    assert (principal.workload, principal.kind, principal.name) == (job, "workload", "ann")
    other = await house.submit("true")
    async with house.parts.database.write() as session:
        with pytest.raises(NotFound):
            await house.parts.workloads.visible(session, principal, workload=other)
        with pytest.raises(Forbidden):
            await house.parts.workloads.stop(session, principal, workload=job)
        with pytest.raises(Forbidden):
            await house.parts.workloads.submit_job(session, principal, request=JobRequest(**GOOD))
    assert await house.parts.tokens.principal_for(token[:-1] + "x") is None
    await house.stop(job)
    await house.ended(job)
    assert await house.parts.tokens.principal_for(token) is None
