"""Jobs that run a notebook: what is refused, what runs, and results that come twice, late or not at all."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, text, update

from pumpkin_services.problems import Conflict, Forbidden, Invalid, TooLarge
from pumpkin_services.workloads import documents, notebooks
from pumpkin_services.workloads.models import EstimateRequest, JobRequest, WorkloadQuery
from pumpkin_services.workloads.notebook_models import (
    MAX_DOCUMENT,
    CellQuery,
    CellResult,
    CellUpdate,
    NotebookRun,
    NotebookRunQuery,
)
from pumpkin_services.workloads.service import job_yaml
from pumpkin_services.workloads.tables import CellRow, DocumentRow, NotebookRow, WorkloadRow
from tests.unit.workloads.house import House, user


def cell(name: str, source: str | list[str] = "1", **more: Any) -> dict[str, Any]:
    return {"id": name, "cell_type": "code", "metadata": {}, "source": source, **more}


def notebook(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}


def request(*cells: dict[str, Any], job: dict[str, Any] | None = None, **run: Any) -> JobRequest:
    sent = {"path": "a/b.ipynb", "content": notebook(*cells), **run}
    return JobRequest.model_validate({"name": "job", "spec": "slot", "notebook": sent, **(job or {})})


async def submit(house: House, *cells: dict[str, Any], **run: Any) -> str:
    async with house.parts.database.write() as session:
        row = await house.parts.workloads.submit_job(session, user("ann"), request=request(*cells, **run))
    return row.id


async def begin(house: House, job: str, *, phase: str = "running") -> None:
    """Make a queued job look as if it ran."""
    async with house.parts.database.write() as session:
        await session.execute(update(WorkloadRow).where(WorkloadRow.id == job).values(phase=phase, attempt=1))


async def take(house: House, job: str, *updates: CellUpdate) -> None:
    async with house.parts.database.write() as session:
        await notebooks.take(session, workload=job, updates=updates)


async def results(house: House, job: str, after: int = 0, **query: Any) -> list[CellResult]:
    async with house.parts.database.read() as session:
        row = await session.get_one(WorkloadRow, job)
        return (await notebooks.page(session, row, query=CellQuery(after=after, **query))).items


def says(name: str, sequence: int, words: str = "", *, state: str = "running") -> CellUpdate:
    outputs = [{"output_type": "stream", "name": "stdout", "text": words}] if words else []
    return CellUpdate.model_validate({"cell": name, "sequence": sequence, "state": state, "outputs": outputs})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"nbformat": 3}, "format 4.5"),
        (notebook(cell("a"), nbformat_minor=4), "format 4.5"),
        ({"nbformat": 4, "nbformat_minor": 5, "cells": {}}, "a list of cells"),
        (notebook({**cell("a"), "id": None}), "cell 1 has no id"),
        (notebook(cell("a"), cell("ä")), "cell 2 has no id"),
        (notebook(cell("a"), cell("a")), "same id"),
        (notebook({**cell("a"), "cell_type": "heading"}), "neither code"),
        (notebook(cell("a", 7)), "not text"),  # pyright: ignore[reportArgumentType]
        (notebook(cell("a", " ")), "no code"),
        (notebook(cell("a"), metadata={"kernelspec": {"language": "R"}}), "written in r"),
        (notebook(cell("a", "x" * MAX_DOCUMENT)), "more than 8 MiB"),
        (notebook(cell("a"), metadata={"x": float("inf")}), "not JSON compliant"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_to_run_is_refused(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        NotebookRun.model_validate({"path": "a.ipynb", "content": content})


@pytest.mark.parametrize("change", [{"command": "x"}, {"args": ["x"]}, {"replicas": 2}, {"spec": None}])
def test_a_notebook_makes_its_own_command(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"command|spec"):
        request(cell("a"), job=change)


@pytest.mark.parametrize("name", ["1x", "class", "a b", "x" * 70_000])
def test_a_parameter_is_a_variable_of_a_modest_size(name: str) -> None:
    with pytest.raises(ValidationError):
        request(cell("a"), parameters={name: 1})


async def test_a_cell_to_run_has_to_be_there(empty_house: House) -> None:
    with pytest.raises(Invalid) as caught:
        await submit(empty_house, cell("a"), {**cell("text"), "cell_type": "markdown"}, cells=["a", "text"])
    assert [item["field"] for item in caught.value.errors] == ["notebook.cells.1"]
    with pytest.raises(Invalid, match="Send the notebook"):
        await submit(empty_house, content=None)


def ids(content: dict[str, Any], parameters: dict[str, Any]) -> list[str]:
    run = NotebookRun.model_validate({"path": "a", "content": content, "parameters": parameters})
    assert run.content is not None
    return [item["id"] for item in documents.prepared(run.content, run.parameters)["cells"]]


def test_parameters_are_set_behind_the_tagged_cell_else_first_and_once() -> None:
    defaults = cell("p", metadata={"tags": ["parameters"]})
    assert ids(notebook(cell("a"), defaults, cell("b")), {"x": 1}) == ["a", "p", "injected-parameters", "b"]
    assert ids(notebook(cell("a"), cell("b")), {"x": 1}) == ["injected-parameters", "a", "b"]
    assert ids(notebook(cell("a"), cell("b")), {}) == ["a", "b"]
    again = cell("old", metadata={"tags": ["injected-parameters"]})
    assert ids(notebook(defaults, cell("a"), again), {"x": 1}) == ["p", "a", "injected-parameters"]


def test_parameters_are_what_they_were_in_json() -> None:
    values = {"a": None, "b": True, "c": -1.5, "d": "it's\n\\n", "e": [1, {"x": [False]}], "f": 10**30}
    run = NotebookRun.model_validate({"path": "a", "content": notebook(cell("a")), "parameters": values})
    assert run.content is not None
    found: dict[str, Any] = {}
    exec(documents.prepared(run.content, run.parameters)["cells"][0]["source"], {}, found)
    assert found == values


async def test_cells_to_run_wait_in_the_documents_order_with_the_hash_of_their_source(empty_house: House) -> None:
    job = await submit(
        empty_house, cell("a"), cell("b", ["é = 1\n", "é"]), cell("c"), cells=["c", "b"], parameters={"x": 1}
    )
    found = await results(empty_house, job)
    assert [(item.cell, item.position, item.state) for item in found] == [
        ("injected-parameters", 0, "waiting"), ("b", 2, "waiting"), ("c", 3, "waiting")
    ]  # fmt: skip
    assert found[1].source_hash == hashlib.sha256("é = 1\né".encode()).hexdigest()


async def test_outputs_are_dropped_and_the_document_stays_out_of_the_workloads_row(empty_house: House) -> None:
    house = empty_house
    old = cell("a", "secret_marker", outputs=[{"output_type": "stream", "name": "stdout", "text": "old"}])
    job = await submit(house, old, cells=["a"], parameters={"x": 1})
    row = await house.row(job)
    assert row is not None
    assert row.request["notebook"] == {"path": "a/b.ipynb", "cells": ["a"], "parameters": {"x": 1}}
    assert "secret_marker" not in str(row.request) + str(row.plan)
    detail = await house.detail(job)
    assert (detail.notebook, detail.replicas) == ("a/b.ipynb", 1)
    async with house.parts.database.read() as session:
        page = await house.parts.queries.list(session, user("ann"), query=WorkloadQuery())
        source = await notebooks.run_of(session, row)
    assert [item.notebook for item in page.items] == ["a/b.ipynb"]
    assert source.content is not None
    assert source.content["cells"] == [old | {"outputs": [], "execution_count": None}]


async def test_it_runs_again_from_rerun_and_yaml_as_it_was_sent(empty_house: House) -> None:
    house = empty_house
    job = await submit(house, cell("a", "x = 'ü'\n"), cells=["a"], parameters={"x": [1]})
    async with house.parts.database.write() as session:
        row = await session.get_one(WorkloadRow, job)
        text = job_yaml(await notebooks.request_of(session, row))
        again = await house.parts.workloads.rerun(session, user("ann"), workload=job)
        third = await house.parts.workloads.submit_yaml(session, user("ann"), text=text)
        sent = [await notebooks.run_of(session, item) for item in (row, again, third)]
    assert sent[0] == sent[1] == sent[2]


async def test_yaml_that_grows_by_aliases_is_refused(empty_house: House) -> None:
    lines = [
        f"{name}: &{name} [{', '.join([f'*{former}'] * 9)}]" for former, name in zip("abcdef", "bcdefg", strict=True)
    ]
    bomb = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]", *lines])
    async with empty_house.parts.database.write() as session:
        with pytest.raises(Invalid, match="aliases"):
            await empty_house.parts.workloads.submit_yaml(session, user("ann"), text=bomb)


async def test_an_update_that_comes_twice_or_late_changes_nothing(empty_house: House) -> None:
    house = empty_house
    job = await submit(house, cell("a"), cell("b"))
    await begin(house, job)
    await take(house, job, says("a", 1, "one"))
    once = await results(house, job)
    await take(house, job, says("a", 1, "one"))  # the answer was lost
    await take(house, job, says("a", 2, "one"))  # sent anew, and nothing is new
    assert await results(house, job) == once
    await take(house, job, says("a", 4, "one two"))
    newest = await results(house, job)
    await take(house, job, says("a", 3, "one t"))
    assert await results(house, job) == newest
    assert [item.cell for item in newest] == ["b", "a"]
    assert newest[-1].revision > once[-1].revision


async def test_who_asks_for_what_is_new_sees_every_cell_as_it_is_in_the_end(empty_house: House) -> None:
    for seed in range(12):
        await follow(empty_house, random.Random(seed))


async def follow(house: House, rng: random.Random) -> None:
    """Send made-up updates, some late; a reader who looks now and then misses nothing and sees nothing twice."""
    names = [f"c{at}" for at in range(5)]
    job = await submit(house, *map(cell, names))
    await begin(house, job)
    seen: dict[str, CellResult] = {}
    revisions = [0]

    async def look() -> int:
        found = await results(house, job, after=revisions[-1], limit=rng.randint(1, 4))
        revisions.extend(item.revision for item in found)
        seen.update({item.cell: item for item in found})
        return len(found)

    for number in range(3, 30):
        chosen = rng.sample(names, rng.randint(1, 3))
        await take(house, job, *[says(name, number - rng.randint(0, 2), "x" * number) for name in chosen])
        if rng.random() < 0.4:
            await look()
    while await look():
        pass
    assert revisions == sorted(set(revisions))
    assert seen == {item.cell: item for item in await results(house, job)}


async def test_results_are_taken_from_what_runs_only_and_of_its_own_cells(empty_house: House) -> None:
    house = empty_house
    job = await submit(house, cell("a"), cell("b"), cells=["a"])
    with pytest.raises(Conflict, match="closed"):
        await take(house, job, says("a", 1))
    await begin(house, job)
    for name in ("b", "z"):
        with pytest.raises(Invalid, match="no cell this job runs"):
            await take(house, job, says(name, 1))
    with pytest.raises(TooLarge):
        await take(house, job, says("a", 1, "x" * MAX_DOCUMENT))
    with pytest.raises(Invalid, match="not JSON"):
        await take(house, job, says("a", 1).model_copy(update={"outputs": [{"x": float("nan")}]}))
    await begin(house, job, phase="failed")
    with pytest.raises(Conflict, match="closed"):
        await take(house, job, says("a", 1))
    plain = await house.submit("true")
    await begin(house, plain)
    with pytest.raises(Conflict, match="no notebook"):
        await take(house, plain, says("a", 1))


async def test_large_outputs_come_a_few_at_a_time(empty_house: House) -> None:
    house = empty_house
    names = [f"c{at}" for at in range(20)]
    job = await submit(house, *map(cell, names))
    await begin(house, job)
    for at, name in enumerate(names, 1):
        await take(house, job, says(name, at, "x" * (1 << 20)))
    first = await results(house, job)
    assert len(first) < len(names)
    rest = await results(house, job, after=first[-1].revision)
    assert [item.cell for item in [*first, *rest]] == names


async def test_outputs_of_all_cells_are_bounded_and_the_refusal_changes_nothing(empty_house: House) -> None:
    house = empty_house
    names = [f"c{at}" for at in range(10)]
    job = await submit(house, *map(cell, names))
    await begin(house, job)
    for name in names[:8]:
        await take(house, job, says(name, 1, "x" * (MAX_DOCUMENT - 100)))
    with pytest.raises(TooLarge, match="all cells"):
        await take(house, job, says(names[8], 1, "x" * (1 << 20)), says(names[9], 1, state="done"))
    async with house.parts.database.read() as session:
        untouched = await session.scalars(select(CellRow.cell).where(CellRow.state == "waiting").order_by(CellRow.cell))
        assert list(untouched) == names[8:]
    await take(house, job, says(names[0], 2, "less"), says(names[8], 2, "x" * (1 << 20)))


async def test_what_a_notebook_costs_is_told_without_sending_it(empty_house: House) -> None:
    asked = EstimateRequest.model_validate({"job": {"name": "x", "spec": "slot", "notebook": {"path": "a.ipynb"}}})
    async with empty_house.parts.database.read() as session:
        assert (await empty_house.parts.queries.estimate(session, user("ann"), request=asked)).price_micro == 0


async def test_what_never_ran_says_so_when_the_job_ends(house: House) -> None:
    job = await submit(house, cell("a"), cell("b"))
    async with house.parts.database.write() as session:
        await house.parts.workloads.stop(session, user("ann"), workload=job)
    house.parts.workloads.wake(job)
    await house.ended(job)
    states = {item.cell: item.state for item in await results(house, job)}
    assert states in ({"a": "skipped", "b": "skipped"}, {"a": "failed", "b": "skipped"})


async def test_a_new_attempt_begins_with_untouched_cells_and_ends_settled(empty_house: House) -> None:
    house = empty_house
    job = await submit(house, cell("a"), cell("b"))
    await begin(house, job)
    await take(house, job, says("a", 7, "first try", state="failed"))
    before = await results(house, job)
    async with house.parts.database.write() as session:
        await notebooks.restart(session, [job])
    found = await results(house, job, after=before[-1].revision)
    assert [(item.cell, item.state, item.outputs) for item in found] == [("a", "waiting", []), ("b", "waiting", [])]
    await take(house, job, says("a", 1, "second try"))
    async with house.parts.database.write() as session:
        await notebooks.settle(session, job)
    assert {item.cell: item.state for item in await results(house, job)} == {"a": "failed", "b": "skipped"}
    revisions = [item.revision for item in [*before, *found, *await results(house, job)]]
    assert len(set(revisions)) == 6


async def test_only_who_sent_it_lists_and_lands_it(empty_house: House) -> None:
    house = empty_house
    jobs = [await submit(house, cell("a")) for _ in range(3)]
    ann, bob = user("ann"), user("bob", "ann")
    async with house.parts.database.write() as session:
        row = await session.get_one(WorkloadRow, jobs[1])
        with pytest.raises(Forbidden, match="ann's"):
            await notebooks.land(session, bob, row)
        await notebooks.land(session, ann, row)
        await notebooks.land(session, ann, row)
        plain = await house.parts.workloads.submit_job(
            session, ann, request=JobRequest.model_validate({"name": "plain", "spec": "slot", "command": "true"})
        )
        with pytest.raises(Conflict, match="no notebook"):
            await notebooks.land(session, ann, plain)

    async def listed(**query: Any) -> list[str]:
        async with house.parts.database.read() as session:
            page = await notebooks.runs(session, ann, query=NotebookRunQuery(**query))
        return [item.id for item in page.items]

    assert await listed() == jobs[::-1]
    assert await listed(landed=False) == [jobs[2], jobs[0]]
    assert await listed(landed=True) == [jobs[1]]
    async with house.parts.database.read() as session:
        assert (await notebooks.runs(session, bob, query=NotebookRunQuery())).items == []
        first = await notebooks.runs(session, ann, query=NotebookRunQuery(limit=2))
        rest = await notebooks.runs(session, ann, query=NotebookRunQuery(limit=2, cursor=first.next))
    assert [[item.id for item in page.items] for page in (first, rest)] == [jobs[:0:-1], jobs[:1]]
    assert rest.next is None


async def test_a_deleted_job_leaves_no_row(house: House) -> None:
    job = await submit(house, cell("a"))
    await house.delete(job)
    await house.gone(job)
    async with house.parts.database.read() as session:
        for rows in (NotebookRow, DocumentRow, CellRow):
            assert await session.scalar(select(func.count()).select_from(rows)) == 0


async def test_listing_workloads_reads_no_document(empty_house: House) -> None:
    """Not even by way of the row: SQLite has to read past what lies before in the same one."""
    await submit(empty_house, cell("a"))
    async with empty_house.parts.database.read() as session:
        columns = {row[1] for row in await session.execute(text("PRAGMA table_info(workloads)"))}
        assert not columns & {"content", "notebook", "document"}
        await notebooks.runs(session, user("ann"), query=NotebookRunQuery())
        assert not [item for item in session.identity_map.values() if isinstance(item, DocumentRow | CellRow)]
