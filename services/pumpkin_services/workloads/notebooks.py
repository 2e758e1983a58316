"""Jobs that run a notebook: keeping what was sent, taking in results cell by cell, telling what is new.

Every change of a cell gets the next revision of its workload. Who makes one holds the workload's row, so revisions are
handed out in the order in which they are committed: a reader who has seen one has missed none before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import table, utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, TooLarge
from pumpkin_services.web.paging import decode_cursor, encode_cursor
from pumpkin_services.workloads import documents
from pumpkin_services.workloads import notebook_models as wire
from pumpkin_services.workloads.models import ENDED, JobRequest
from pumpkin_services.workloads.tables import CellRow, DocumentRow, NotebookRow, WorkloadRow

ADD_CELLS = insert(table(CellRow))
BATCH = 16
"""Cells read at once: one may hold megabytes."""
NO_NOTEBOOK = "This workload runs no notebook."
UNTOUCHED: dict[str, Any] = {
    "state": "waiting", "sequence": 0, "outputs": "[]", "size": 0, "execution_count": None, "started": None,
    "finished": None,
}  # fmt: skip


# -- what was sent --------------------------------------------------------------------------------------------


async def keep(session: AsyncSession, row: WorkloadRow, run: wire.NotebookRun) -> None:
    """Keep the notebook of a job that was just made; raise `Invalid` for a cell to run that it does not have."""
    cells = documents.rows(row.id, run)
    session.add(NotebookRow(workload=row.id, creator=row.creator, path=run.path))
    session.add(DocumentRow(workload=row.id, content=wire.dump(run.content)))
    await session.execute(ADD_CELLS, cells)


async def run_of(session: AsyncSession, row: WorkloadRow) -> wire.NotebookRun:
    """Return what was sent, the document included; raise `Conflict` for a workload without one."""
    document = await session.get(DocumentRow, row.id)
    if document is None:
        raise Conflict(NO_NOTEBOOK, reason="no_notebook")
    return wire.NotebookRun.model_validate({**row.request["notebook"], "content": json.loads(document.content)})


async def request_of(session: AsyncSession, row: WorkloadRow) -> JobRequest:
    """Return a job's request as it was sent, its notebook's document included; raise `Invalid` for a server."""
    if row.kind != "job":
        raise Invalid("This is a notebook, not a job.", field="workload")
    request = JobRequest.model_validate(row.request)
    return request.model_copy(update={"notebook": await run_of(session, row)}) if row.notebook else request


async def executed(session: AsyncSession, row: WorkloadRow) -> wire.NotebookDocument:
    """Return the document as it is run, with the results so far."""
    run = await run_of(session, row)
    assert run.content is not None
    cells = (await session.scalars(select(CellRow).where(CellRow.workload == row.id))).all()
    return documents.executed(row, documents.prepared(run.content, run.parameters), cells)


# -- results --------------------------------------------------------------------------------------------------


async def take(session: AsyncSession, *, workload: str, updates: Sequence[wire.CellUpdate]) -> None:
    """Take in what a running job sends of its cells; what comes twice or late changes nothing."""
    row = await session.get(WorkloadRow, workload, with_for_update=True)
    if row is None or not row.notebook:
        raise Conflict(NO_NOTEBOOK, reason="no_notebook")
    if row.phase in ENDED or row.phase == "queued":
        raise Conflict("This attempt has ended: its results are closed.", reason="ended")
    wanted = [item.cell for item in updates]
    rows = await session.scalars(select(CellRow).where(CellRow.workload == workload, CellRow.cell.in_(wanted)))
    known = {cell.cell: cell for cell in rows}
    revision = await _revision(session, workload)
    for at, item in enumerate(updates):
        cell = known.get(item.cell)
        if cell is None:
            raise Invalid(f"'{item.cell}' is no cell this job runs.", field=f"cells.{at}.cell")
        if item.sequence <= cell.sequence:
            continue
        cell.sequence = item.sequence
        values = (item.state, item.execution_count, _outputs(item, at), item.started, item.finished)
        if values == (cell.state, cell.execution_count, cell.outputs, cell.started, cell.finished):
            continue
        revision += 1
        cell.revision = revision
        cell.state, cell.execution_count, cell.outputs, cell.started, cell.finished = values
        cell.size = len(cell.outputs.encode())
    await session.flush()
    if (
        await session.scalar(select(func.sum(CellRow.size)).where(CellRow.workload == workload)) or 0
    ) > wire.MAX_RESULTS:
        raise TooLarge(f"The outputs of all cells have {wire.MAX_RESULTS >> 20} MiB at most.")


def _outputs(item: wire.CellUpdate, at: int) -> str:
    try:
        text = wire.dump(item.outputs)
    except ValueError as error:
        raise Invalid("The outputs are not JSON: a number is not finite.", field=f"cells.{at}.outputs") from error
    if len(text.encode()) > wire.MAX_DOCUMENT:
        raise TooLarge(f"The outputs of a cell have {wire.MAX_DOCUMENT >> 20} MiB at most.")
    return text


async def restart(session: AsyncSession, workloads: Iterable[str]) -> None:
    """Forget the results of former attempts: a new one begins."""
    for workload in workloads:
        await _rewrite(session, workload, UNTOUCHED, states=None)


async def settle(session: AsyncSession, workload: str) -> None:
    """Say of what was running, or still to run, that it never will: the job has ended."""
    await _rewrite(session, workload, {"state": "failed", "finished": utcnow()}, states=("running",))
    await _rewrite(session, workload, {"state": "skipped"}, states=("waiting",))


async def _rewrite(
    session: AsyncSession, workload: str, values: dict[str, Any], *, states: Sequence[str] | None
) -> None:
    """Give cells in these states (None: all) new values, each with a revision of its own."""
    wanted = select(CellRow.cell).where(CellRow.workload == workload).order_by(CellRow.position)
    if states is not None:
        wanted = wanted.where(CellRow.state.in_(states))
    cells = (await session.scalars(wanted)).all()
    revision = await _revision(session, workload)
    for number, cell in enumerate(cells, revision + 1):
        changed = update(CellRow).where(CellRow.workload == workload, CellRow.cell == cell)
        await session.execute(changed.values(**values, revision=number))


async def _revision(session: AsyncSession, workload: str) -> int:
    """Return the last revision, as committed by whoever held the workload's row before."""
    newest = select(CellRow.revision).where(CellRow.workload == workload).order_by(CellRow.revision.desc()).limit(1)
    return await session.scalar(newest.with_for_update()) or 0


async def failure(session: AsyncSession, workload: str) -> str | None:
    """Return in one sentence which cell failed and why, None when none did."""
    failed = select(CellRow).where(CellRow.workload == workload, CellRow.state == "failed")
    cell = await session.scalar(failed.order_by(CellRow.position).limit(1))
    return None if cell is None else documents.failure(cell)


# -- reading --------------------------------------------------------------------------------------------------


async def after(session: AsyncSession, workload: str, revision: int, *, limit: int) -> list[wire.CellResult]:
    """Return cells that changed after a revision, in the order they did: so many, or fewer large ones."""
    found: list[wire.CellResult] = []
    size = 0
    while len(found) < limit and size < wire.MAX_DOCUMENT:
        batch = min(BATCH, limit - len(found))
        since = select(CellRow).where(CellRow.workload == workload, CellRow.revision > revision)
        rows = (await session.scalars(since.order_by(CellRow.revision).limit(batch))).all()
        for row in rows:
            found.append(documents.result(row))
            size += len(row.outputs)
            revision = row.revision
        if len(rows) < batch:
            break
    return found


async def page(session: AsyncSession, row: WorkloadRow, *, query: wire.CellQuery) -> wire.CellPage:
    """Return a page of a job's cells; raise `Conflict` for a workload that runs no notebook."""
    if not row.notebook:
        raise Conflict(NO_NOTEBOOK, reason="no_notebook")
    items = await after(session, row.id, query.after, limit=query.limit)
    return wire.CellPage(items=items, next=items[-1].revision if items else query.after)


async def runs(session: AsyncSession, principal: Principal, *, query: wire.NotebookRunQuery) -> wire.NotebookRunPage:
    """Return the caller's own jobs that run notebooks, newest first."""
    mine = (
        select(NotebookRow, WorkloadRow.name, WorkloadRow.phase, WorkloadRow.created, WorkloadRow.finished)
        .join(WorkloadRow, WorkloadRow.id == NotebookRow.workload)
        .where(NotebookRow.creator == principal.name, WorkloadRow.target != "delete")
    )
    if principal.workload is not None:
        mine = mine.where(NotebookRow.workload == principal.workload)
    if query.landed is not None:
        mine = mine.where(NotebookRow.landed == query.landed)
    if query.cursor is not None:
        mine = mine.where(NotebookRow.workload < decode_cursor(query.cursor))
    rows = (await session.execute(mine.order_by(NotebookRow.workload.desc()).limit(query.limit + 1))).all()
    items = [
        wire.NotebookRunSummary(
            phase=phase,  # pyright: ignore[reportArgumentType]
            id=run.workload,
            name=name,
            path=run.path,
            landed=run.landed,
            created=created,
            finished=finished,
        )
        for run, name, phase, created, finished in rows[: query.limit]
    ]
    return wire.NotebookRunPage(items=items, next=encode_cursor(items[-1].id) if len(rows) > query.limit else None)


async def land(session: AsyncSession, principal: Principal, row: WorkloadRow) -> None:
    """Mark a job's results as put into the notebook they came from; only who submitted it has that notebook."""
    run = await session.get(NotebookRow, row.id)
    if run is None:
        raise Conflict(NO_NOTEBOOK, reason="no_notebook")
    if run.creator != principal.name:
        raise Forbidden(f"The notebook is {run.creator}'s: only they can put its results into it.")
    run.landed = True
    await session.flush()
