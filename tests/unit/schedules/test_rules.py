"""Who may make, see, change and run schedules, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, NotFound, PreconditionFailed, Problem
from pumpkin_services.schedules import models as wire
from pumpkin_services.workloads import notebooks
from tests.unit.schedules.conftest import Hall
from tests.unit.workloads.house import user

ANN, MIA, EVE = user("ann", "lab"), user("mia", "lab"), user("eve")
ADMIN = user("root", admin=True)
LAB: dict[str, Any] = {"job": {"workspace": "lab"}}


def viewer(name: str) -> Principal:
    return dataclasses.replace(user(name), workspaces={name: "owner", "lab": "viewer"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"job": {"spec": "none"}}, "request.spec"),
        ({"job": {"datasets": ["there-is-none"]}}, "request.datasets.0"),
        ({"job": {"workspace": "elsewhere"}}, "request.workspace"),
    ],
)
async def test_what_could_not_run_now_is_refused_naming_the_field(
    hall: Hall, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Problem) as refusal:
        await hall.create(**({"cron": "0 0 * * *"} | change))
    assert [error["field"] for error in refusal.value.errors] == [field]
    made = await hall.create()
    patch = (
        {"request": {"name": "job", "spec": "slot", "command": "true"} | change["job"]} if "job" in change else change
    )
    with pytest.raises(Problem) as refusal:
        await hall.edit(made.id, **patch)
    assert [error["field"] for error in refusal.value.errors] == [field]


async def test_two_of_one_name_in_a_workspace_are_refused(hall: Hall) -> None:
    await hall.create(by=ANN)
    await hall.create(by=ANN, **LAB)
    other = await hall.create(by=ANN, name="other")
    with pytest.raises(Conflict, match="has a schedule 'nightly' already"):
        await hall.create(by=ANN)
    with pytest.raises(Conflict, match="has a schedule 'nightly' already"):
        await hall.edit(other.id, by=ANN, name="nightly")


async def test_members_of_the_workspace_see_and_change_it_viewers_see_it_others_do_not(hall: Hall) -> None:
    made = await hall.create(by=ANN, **LAB)
    assert (made.workspace, made.creator, made.request.workspace) == ("lab", "ann", "lab")
    assert (await hall.get(made.id, by=viewer("vic"))).id == made.id
    with pytest.raises(Forbidden):
        await hall.edit(made.id, by=viewer("vic"), enabled=False)
    with pytest.raises(NotFound):
        await hall.get(made.id, by=EVE)
    with pytest.raises(NotFound):
        await hall.edit(made.id, by=EVE, enabled=False)
    assert not (await hall.edit(made.id, by=MIA, enabled=False)).enabled
    assert (await hall.edit(made.id, by=ADMIN, enabled=True)).enabled
    for who, names in ((MIA, ["nightly"]), (EVE, [])):
        async with hall.house.parts.database.read() as session:
            page = await hall.house.parts.schedules.list(session, who, query=wire.ScheduleQuery())
            assert [item.name for item in page.items] == names
            everything = wire.ScheduleQuery(everything=True)
            with pytest.raises(Forbidden, match="Only admins"):
                await hall.house.parts.schedules.list(session, who, query=everything)


async def test_nobodys_name_runs_what_another_wrote(hall: Hall) -> None:
    made = await hall.create(by=ANN, **LAB)
    assert made.runs_as == "ann"
    assert (await hall.edit(made.id, by=MIA, enabled=False)).runs_as == "ann"
    job = {"name": "job", "spec": "slot", "command": "rm -rf $PUMPKIN_HOME", "workspace": "lab"}
    changed = await hall.edit(made.id, by=MIA, request=job)
    assert (changed.creator, changed.runs_as) == ("ann", "mia")
    with pytest.raises(Forbidden):  # she does not belong to it: it would run in her name
        await hall.edit(made.id, by=ADMIN, cron="1 * * * *")
    async with hall.house.parts.database.write() as session:
        run = await hall.house.parts.schedules.run(session, ANN, schedule=made.id)
    assert run.workload is not None
    assert (run.asked_by, run.workload.creator, run.due) == ("ann", "ann", None)
    assert (await hall.get(made.id, by=ANN)).last == run


async def test_a_token_that_may_not_submit_jobs_makes_no_schedule_that_does(hall: Hall) -> None:
    made = await hall.create(by=ANN)
    scopes = frozenset(scope for scope in ANN.scopes if "workloads" not in scope)
    weak = dataclasses.replace(ANN, scopes=scopes)
    with pytest.raises(Forbidden, match="custom:pumpkin:workloads:write"):
        await hall.create(by=weak, name="other")
    with pytest.raises(Forbidden, match="custom:pumpkin:workloads:write"):
        await hall.edit(made.id, by=weak, cron="1 * * * *")
    async with hall.house.parts.database.write() as session:
        with pytest.raises(Forbidden, match="custom:pumpkin:workloads:write"):
            await hall.house.parts.schedules.run(session, weak, schedule=made.id)


async def test_an_edit_of_what_somebody_changed_meanwhile_is_refused(hall: Hall) -> None:
    made = await hall.create()
    patch = wire.SchedulePatch(name="other")
    await hall.edit(made.id, name="first")
    async with hall.house.parts.database.write() as session:
        with pytest.raises(PreconditionFailed):
            await hall.house.parts.schedules.edit(
                session, user("ann"), schedule=made.id, patch=patch, if_match=made.revision
            )


async def test_a_deleted_schedule_leaves_its_jobs_and_comes_never_again(hall: Hall) -> None:
    made = await hall.create()
    [job] = await hall.later(hours=1)
    async with hall.house.parts.database.write() as session:
        assert await hall.house.parts.schedules.held(session, "ann") == "1 schedule"
        await hall.house.parts.schedules.delete(session, user("ann"), schedule=made.id, if_match=None)
    assert await hall.later(hours=5) == []
    assert await hall.rows() == []
    assert await hall.house.row(job) is not None
    async with hall.house.parts.database.read() as session:
        assert await hall.house.parts.schedules.held(session, "ann") == ""


async def test_a_run_whose_job_was_deleted_stays_in_the_list_without_it(hall: Hall) -> None:
    made = await hall.create()
    [job] = await hall.later(hours=1)
    await hall.house.delete(job)
    [run] = await hall.runs(made.id)
    assert (run.outcome, run.workload) == ("submitted", None)
    assert len(await hall.later(hours=1)) == 1  # what is being deleted keeps nothing waiting


async def test_a_notebook_is_kept_apart_and_submitted_whole(hall: Hall) -> None:
    cell = {"id": "one", "cell_type": "code", "source": "print(n)", "metadata": {}}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    run = {"path": "work/one.ipynb", "content": document, "parameters": {"n": 1}}
    job = {"name": "job", "spec": "slot", "notebook": run}

    async def make(**change: Any) -> wire.Schedule:
        request = job | {"notebook": run | change}
        made = wire.ScheduleCreate.model_validate({"name": "nightly", "cron": "0 * * * *", "request": request})
        async with hall.house.parts.database.write() as session:
            return await hall.house.parts.schedules.create(session, ANN, request=made)

    for change, field in (
        ({"content": None}, "request.notebook.content"),
        ({"cells": ["two"]}, "request.notebook.cells.0"),
    ):
        with pytest.raises(Problem) as refusal:
            await make(**change)
        assert [error["field"] for error in refusal.value.errors] == [field]
    made = await make()
    assert made.request.notebook is not None
    assert (made.request.notebook.content, made.request.notebook.parameters) == (None, {"n": 1})
    await hall.edit(made.id, request=job | {"notebook": run | {"content": None, "parameters": {"n": 2}}})
    [workload] = await hall.later(hours=1)
    row = await hall.house.row(workload)
    assert row is not None
    async with hall.house.parts.database.read() as session:
        sent = await notebooks.run_of(session, row)
    assert sent.content is not None
    assert (sent.content["cells"][0]["source"], sent.parameters) == ("print(n)", {"n": 2})
    async with hall.house.parts.database.write() as session:
        again = await hall.house.parts.schedules.run(session, ANN, schedule=made.id)
    assert again.workload is not None
    assert again.workload.notebook == "work/one.ipynb"
