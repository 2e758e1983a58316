"""Rules of workloads: who may ask for what, and what a request changes.

Nothing here waits or starts anything: a request writes a row with its target, and wakes the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import yaml
from pydantic import ValidationError
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import new_id, table, utcnow
from pumpkin_services.events import Wakeups
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, Problem, check_revision
from pumpkin_services.resources.limits import LimitService
from pumpkin_services.resources.models import Subject
from pumpkin_services.web.parsing import from_validation
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import notebooks
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.planner import Planner
from pumpkin_services.workloads.ports import Pins
from pumpkin_services.workloads.records import add_events, event
from pumpkin_services.workloads.tables import VersionUseRow, WorkloadLabelRow, WorkloadRow

ADD_USES = insert(table(VersionUseRow))
TOPIC = "pipeline"


class WorkloadService:
    """Submitting, changing, stopping and deleting. Methods never commit: the caller's transaction does."""

    def __init__(
        self, *, planner: Planner, billing: BillingService, limits: LimitService, pins: Pins, wakeups: Wakeups
    ) -> None:
        self.planner = planner
        self._billing = billing
        self._limits = limits
        self._pins = pins
        self._wakeups = wakeups
        self.on_change: Callable[[str, bool], None] = lambda _workload, _new: None
        """Set by a pipeline in the same process, which so need not look for what changed."""

    def wake(self, workload: str, *, new: bool = False) -> None:
        """Tell all who care that a workload's row changed, or is new; call it after the commit."""
        self.on_change(workload, new)
        self._wakeups.ring(TOPIC)
        self._wakeups.ring(f"workload:{workload}")

    # -- submitting -------------------------------------------------------------------------------------------

    async def submit_job(self, session: AsyncSession, principal: Principal, *, request: wire.JobRequest) -> WorkloadRow:
        """Queue a job; raise a `Problem` naming the field for anything that could never run."""
        workspace = _workspace(principal, request.workspace)
        plan = await self.planner.job(session, principal, request, workspace)
        if request.notebook is not None and request.notebook.content is None:
            raise Invalid("Send the notebook to run.", field="notebook.content")
        field = "spec" if request.roles is None else "roles.0.spec"
        if plan.price_micro and request.budget_micro is not None and request.budget_micro * 60 < plan.price_micro:
            raise Invalid(
                "The budget does not pay for a minute of it: raise it, or choose a cheaper spec.", field="budget_micro"
            )
        row = WorkloadRow(
            id=new_id(),
            kind="job",
            name=request.name,
            priority=request.priority,
            labels=request.labels,
            notes=request.notes,
            **_common(principal, workspace, request, plan),
        )
        await self._insert(session, principal, row, plan, field=field)
        if request.notebook is not None:
            await notebooks.keep(session, row, request.notebook)
        return row

    async def submit_yaml(self, session: AsyncSession, principal: Principal, *, text: str) -> WorkloadRow:
        """Queue the job a YAML document describes."""
        try:
            document = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise Invalid(f"This is not YAML: {_first_line(error)}.", field="yaml") from error
        if not isinstance(document, dict):
            raise Invalid("The YAML has to be a mapping with the fields of a job.", field="yaml")
        if _larger(document, len(text)):
            raise Invalid("The YAML repeats itself by aliases: write it out.", field="yaml")
        try:
            request = wire.JobRequest.model_validate(document)
        except ValidationError as error:
            raise from_validation(error) from error
        return await self.submit_job(session, principal, request=request)

    async def submit_notebook(
        self, session: AsyncSession, principal: Principal, *, request: wire.NotebookRequest, starter: str = "platform"
    ) -> WorkloadRow:
        """Queue a notebook; one of that name that has not ended is a `Conflict`."""
        workspace = _workspace(principal, request.workspace)
        existing = await self.active_notebook(session, user=principal.name, server_name=request.name)
        if existing is not None:
            raise Conflict(
                f"Your server '{request.name or 'default'}' is {existing.phase} already: "
                "stop it first, or give this one another name.",
                field="name",
                workload=existing.id,
            )
        plan = await self.planner.notebook(session, principal, request, workspace)
        row = WorkloadRow(
            id=new_id(),
            kind="notebook",
            name=request.name or "default",
            server_name=request.name,
            starter=starter,
            labels=request.labels,
            notes=request.notes,
            **_common(principal, workspace, request, plan),
        )
        return await self._insert(session, principal, row, plan, field="spec")

    async def rerun(self, session: AsyncSession, principal: Principal, *, workload: str) -> WorkloadRow:
        """Queue the same request again, in the caller's name; references without a version mean the newest now."""
        old = await self.visible(session, principal, workload=workload)
        if old.kind == "job":
            again = await notebooks.request_of(session, old)
            again = again.model_copy(update={"workspace": old.workspace})
            return await self.submit_job(session, principal, request=again)
        server = wire.NotebookRequest.model_validate({**old.request, "workspace": old.workspace})
        return await self.submit_notebook(session, principal, request=server)

    async def _insert(
        self, session: AsyncSession, principal: Principal, row: WorkloadRow, plan: Plan, *, field: str
    ) -> WorkloadRow:
        await self._require_limits(session, principal, row, plan, field=field)
        await self._billing.require_start(session, workspace=row.workspace, price_micro=plan.price_micro, field=field)
        session.add(row)
        await session.flush()
        await self._set_labels(session, row)
        uses = {(item.version, item.kind) for item in plan.inputs} | {(plan.environment, "environment")}
        await session.execute(
            ADD_USES,
            [{"version": version, "workload": row.id, "kind": kind} for version, kind in sorted(uses)],
        )
        for item in plan.inputs:
            await self._pins.pin(session, item.version, row.id)
        await add_events(session, [event(row.id, "queued", "Waiting for resources.", source=principal.name)])
        return row

    async def _require_limits(
        self, session: AsyncSession, principal: Principal, row: WorkloadRow, plan: Plan, *, field: str
    ) -> None:
        wanted = sum(role.accelerators * role.min_available for role in plan.roles)
        subjects: list[tuple[Subject, str, InstrumentedAttribute[str], str]] = [
            ("user", principal.name, WorkloadRow.creator, "You"),
            ("workspace", row.workspace, WorkloadRow.workspace, f"The workspace '{row.workspace}'"),
        ]
        for kind, subject, column, who in subjects:
            limit = await self._limits.limit(session, kind=kind, subject=subject)
            if limit.accelerators is not None and wanted > limit.accelerators:
                raise Invalid(
                    f"{who} may hold {limit.accelerators} accelerators at once, this needs {wanted}: "
                    "ask for fewer, or ask an admin to raise the limit.",
                    field=field,
                )
            if limit.queued is None:
                continue
            queued = await session.scalar(
                select(func.count()).select_from(WorkloadRow).where(column == subject, WorkloadRow.phase == "queued")
            )
            if (queued or 0) >= limit.queued:
                raise Conflict(
                    f"{who} may have {limit.queued} workloads waiting: wait until one has started, or delete some.",
                    reason="limit_queued",
                )

    # -- changing ---------------------------------------------------------------------------------------------

    async def edit(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        workload: str,
        patch: wire.WorkloadPatch,
        if_match: int | None,
    ) -> WorkloadRow:
        """Change labels and notes; the priority only while it is queued."""
        row = await self.writable(session, principal, workload=workload)
        check_revision(row.revision, if_match)
        if patch.priority is not None and patch.priority != row.priority:
            if row.phase != "queued":
                raise Conflict(
                    f"'{row.name}' is {row.phase}: only a queued one's priority can change.", field="priority"
                )
            row.priority = patch.priority
        if patch.notes is not None:
            row.notes = patch.notes
        if patch.labels is not None:
            row.labels = patch.labels
            await session.execute(delete(WorkloadLabelRow).where(WorkloadLabelRow.workload == row.id))
            await self._set_labels(session, row)
        row.revision += 1
        await session.flush()
        return row

    async def stop(self, session: AsyncSession, principal: Principal, *, workload: str, note: str = "") -> WorkloadRow:
        """Have a workload stopped; one that has ended, or is being stopped, is fine. Its owner reads the `note`."""
        row = await self.writable(session, principal, workload=workload)
        if row.phase in ENDED or row.target != "run":
            return row
        row.target, row.stop_reason = "stop", _stop_reason(principal, row)
        row.stop_note = note
        row.revision += 1
        await session.flush()
        await add_events(
            session,
            [event(row.id, "stop", f"Asked to stop: {note}" if note else "Asked to stop.", source=principal.name)],
        )
        return row

    async def stop_all_of(self, session: AsyncSession, principal: Principal, *, user: str) -> None:
        """Have everything stopped that a user started, for an admin froze them; the pipeline sees it by itself."""
        rows = await session.scalars(
            select(WorkloadRow).where(
                WorkloadRow.creator == user, WorkloadRow.phase.in_(wire.OPEN), WorkloadRow.target == "run"
            )
        )
        found = rows.all()
        for row in found:
            row.target, row.stop_reason = "stop", "frozen"
            row.revision += 1
        await session.flush()
        words = f"{principal.name} froze the account of {user}."
        await add_events(session, [event(row.id, "stop", words, source=principal.name) for row in found])

    async def delete(
        self, session: AsyncSession, principal: Principal, *, workload: str, if_match: int | None = None
    ) -> WorkloadRow:
        """Have a workload stopped and every trace of it removed."""
        row = await self.writable(session, principal, workload=workload)
        check_revision(row.revision, if_match)
        if row.target != "delete":
            row.stop_reason = row.stop_reason or _stop_reason(principal, row)
            row.target, row.active = "delete", True
            row.revision += 1
            await session.flush()
        return row

    async def batch(self, session: AsyncSession, principal: Principal, *, batch: wire.Batch) -> wire.BatchResult:
        """Stop or delete many; what cannot be is told of each, the others are done."""
        items: list[wire.BatchItem] = []
        for workload in dict.fromkeys(batch.ids):
            try:
                if batch.action == "stop":
                    await self.stop(session, principal, workload=workload, note=batch.reason)
                else:
                    await self.delete(session, principal, workload=workload)
                items.append(wire.BatchItem(id=workload, done=True))
            except Problem as problem:
                items.append(wire.BatchItem(id=workload, done=False, message=problem.detail))
        return wire.BatchResult(items=items)

    async def _set_labels(self, session: AsyncSession, row: WorkloadRow) -> None:
        if row.labels:
            await session.execute(
                insert(WorkloadLabelRow), [{"label": label, "workload": row.id} for label in row.labels]
            )

    # -- finding ----------------------------------------------------------------------------------------------

    async def visible(self, session: AsyncSession, principal: Principal, *, workload: str) -> WorkloadRow:
        """Return a workload the caller may see; raise `NotFound`."""
        row = await session.get(WorkloadRow, workload)
        if row is None or not _sees(principal, row):
            raise NotFound("There is no such workload, or it is not yours to see: list them with GET /workloads.")
        return row

    async def writable(self, session: AsyncSession, principal: Principal, *, workload: str) -> WorkloadRow:
        """Return a workload the caller may change, locked; raise `NotFound` or `Forbidden`."""
        row = await self.visible(session, principal, workload=workload)
        if principal.workload is not None:
            raise Forbidden("A workload's own token changes nothing: use a person's token.")
        if not principal.admin("workloads"):
            principal.require_write(row.workspace)
            if row.kind == "notebook" and row.creator != principal.name:
                owner = principal.workspaces.get(row.workspace) == "owner"
                if not owner:
                    raise Forbidden(f"This is {row.creator}'s server: ask them, or an owner of the workspace.")
        await session.refresh(row, with_for_update=True)
        return row

    async def active_notebook(self, session: AsyncSession, *, user: str, server_name: str) -> WorkloadRow | None:
        """Return the notebook behind a Hub server that has not ended, None when there is none."""
        return await session.scalar(
            select(WorkloadRow).where(
                WorkloadRow.creator == user,
                WorkloadRow.phase.in_(wire.OPEN),
                WorkloadRow.kind == "notebook",
                WorkloadRow.server_name == server_name,
            )
        )

    async def held(self, session: AsyncSession, workspace: str) -> str:
        """Return in words how many unfinished workloads a workspace has, "" for none."""
        mine = select(func.count()).where(WorkloadRow.workspace == workspace, WorkloadRow.phase.in_(wire.OPEN))
        count = await session.scalar(mine)
        return f"{count} unfinished workload{'' if count == 1 else 's'}" if count else ""

    async def in_use(self, session: AsyncSession, versions: Sequence[str]) -> list[str]:
        """Return the names of unfinished workloads that use any of these versions (of environments, too)."""
        names = await session.scalars(
            select(WorkloadRow.name)
            .join(VersionUseRow, VersionUseRow.workload == WorkloadRow.id)
            .where(VersionUseRow.version.in_(versions))
            .limit(20)
        )
        return sorted(set(names))


def job_yaml(request: wire.JobRequest) -> str:
    """Return a job's request as YAML, without what only says the default."""
    return yaml.safe_dump(request.model_dump(mode="json", exclude_defaults=True), sort_keys=False, allow_unicode=True)


def _larger(document: Any, most: int) -> bool:
    """Tell whether a document has more parts than a text of `most` characters can write out."""
    todo, seen = [document], 0
    while todo and seen <= most:
        part = todo.pop()
        seen += 1
        if isinstance(part, dict):
            todo.extend(cast("dict[Any, Any]", part).values())
        elif isinstance(part, list):
            todo.extend(cast("list[Any]", part))
    return bool(todo)


def _workspace(principal: Principal, workspace: str | None) -> str:
    chosen = workspace or principal.name
    if principal.workload is not None:
        raise Forbidden("A workload's own token submits nothing: use a person's token.")
    principal.require_write(chosen)
    return chosen


def _common(principal: Principal, workspace: str, request: wire.Inputs, plan: Plan) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "creator": principal.name,
        # A notebook's document is kept by itself: whoever lists workloads must not read it.
        "request": request.model_dump(mode="json", exclude_defaults=True, exclude={"notebook": {"content"}}),
        "plan": plan.model_dump(mode="json"),
        "spec": plan.main.spec,
        "replicas": plan.replicas,
        "price_micro": plan.price_micro,
        "queued": utcnow(),
    }


def _sees(principal: Principal, row: WorkloadRow) -> bool:
    if principal.workload is not None:
        return principal.workload == row.id
    return row.workspace in principal.workspaces or principal.admin("workloads")


def _stop_reason(principal: Principal, row: WorkloadRow) -> str:
    return "stopped_by_user" if row.workspace in principal.workspaces else "stopped_by_admin"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
