"""Jobs at a glance: the panel's page of them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from pumpkin_services.workloads import models as wires
from pumpkin_services.workloads.glance import Glance, GlanceQuery, Glances, main_metric
from tests.unit.workloads.house import House, user

TRAIN = """
import time
from pumpkin import log_metrics
for step in range(40): log_metrics(step=step, loss=1 / (step + 1), accuracy=step / 100)
time.sleep({seconds})
"""


@pytest.mark.parametrize(
    ("names", "main"),
    [
        (["loss", "accuracy"], "accuracy"),
        (["train_acc", "val_acc", "val_loss"], "val_acc"),
        (["loss", "lr"], "loss"),
        (["beta", "alpha"], "alpha"),
        ([], ""),
    ],
)
def test_the_main_metric_says_best_how_a_job_goes(names: list[str], main: str) -> None:
    assert main_metric({name: [] for name in names}) == main


async def look(house: House, glances: Glances | None = None, name: str = "ann", **query: Any) -> Glance:
    glances = glances or Glances(house.parts.queries)
    async with house.parts.database.read() as session:
        return await glances.glance(session, user(name), query=GlanceQuery(**query))


async def test_what_runs_waits_and_ended_with_its_newest_values(house: House) -> None:
    ended = await house.submit(["python", "-c", TRAIN.format(seconds=0)], name="ended")
    await house.ended(ended)
    running = await house.submit(["python", "-c", TRAIN.format(seconds=60)], name="running")
    role = {"name": "main", "command": "sleep 60", "spec": "slot"}
    pair = await house.submit(name="pair", roles=[role | {"replicas": 2}])
    waiting = [await house.submit(name=f"waiting-{at}", roles=[role | {"replicas": 8}]) for at in range(2)]
    await house.phase(running, "running")
    await house.phase(pair, "running")

    async def values() -> list[float]:
        return next(item.values for item in (await look(house)).items if item.id == running)

    async def thirty() -> bool:
        return len(await values()) == 30

    await house.until(thirty)
    glance = await look(house)
    assert (glance.running, glance.queued) == (2, 2)
    assert [item.id for item in glance.items] == [pair, running, *waiting, ended]
    by = {item.id: item for item in glance.items}
    assert by[pair].running == 2
    assert [item.forecast and item.forecast.position for item in glance.items] == [None, None, 1, 2, None]
    for item in (by[running], by[ended]):
        assert (item.metric, item.values[0], item.values[-1]) == ("accuracy", 0.1, 0.39)
    assert [item.id for item in (await look(house, q="waiting-1")).items] == [waiting[1]]
    assert (await look(house, name="ben")).items == []


async def test_ended_jobs_are_not_read_again(house: House) -> None:
    for at in range(3):
        await house.ended(await house.submit(["python", "-c", TRAIN.format(seconds=0)], name=f"job-{at}"))
    glances = Glances(house.parts.queries)
    asked: list[str] = []
    event.listen(
        house.parts.database.engine.sync_engine,
        "before_cursor_execute",
        lambda *arguments: asked.append(str(arguments[2])),
    )
    await look(house, glances)
    assert len([statement for statement in asked if "workload_metrics" in statement]) == 1
    asked.clear()
    again = await look(house, glances)
    assert not [statement for statement in asked if "workload_metrics" in statement]
    assert [item.values[-1] for item in again.items] == [0.39] * 3


async def test_a_workload_sees_itself_alone(house: House) -> None:
    await house.submit("sleep 60")
    mine = await house.submit("sleep 60")
    principal = user("ann")
    principal = type(principal)(name="ann", token="w", workload=mine, workspaces=principal.workspaces)
    async with house.parts.database.read() as session:
        glance = await Glances(house.parts.queries).glance(session, principal, query=GlanceQuery())
    assert [item.id for item in glance.items] == [mine]
    assert glance.running + glance.queued == 1
    assert isinstance(glance.items[0], wires.WorkloadSummary)
