"""From a request to a plan: every reference resolved, every spec found, every refusal with the field it is about."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Invalid
from pumpkin_services.resources.models import Kind
from pumpkin_services.resources.service import Offer, ResourceService
from pumpkin_services.workloads.models import Inputs, JobRequest, NotebookRequest, Role
from pumpkin_services.workloads.plan import Input, InputKind, Plan, PlannedRole
from pumpkin_services.workloads.ports import Assets

MAX_REPLICAS = 512
RUN_NOTEBOOK = ["python", "-m", "pumpkin.notebook"]
"""Of the environment: the SDK is on every job's PYTHONPATH."""


class Planner:
    """Makes plans, asking the modules that know."""

    def __init__(
        self,
        *,
        resources: ResourceService,
        environments: EnvironmentService,
        datasets: Assets,
        algorithms: Assets,
        models: Assets,
    ) -> None:
        self._resources = resources
        self._environments = environments
        self._assets: dict[InputKind, Assets] = {"dataset": datasets, "algorithm": algorithms, "model": models}

    async def job(self, session: AsyncSession, principal: Principal, request: JobRequest, workspace: str) -> Plan:
        """Return the plan of a job; raise a `Problem` naming the field that cannot be."""
        roles, short = _roles(request)
        if sum(role.replicas for role in roles) > MAX_REPLICAS:
            raise Invalid(f"A job has {MAX_REPLICAS} replicas at most.", field="replicas" if short else "roles")
        fields = ["spec" if short else f"roles.{at}.spec" for at in range(len(roles))]
        offers = await self._offers(session, principal, roles, fields, workspace=workspace, kind="job")
        planned = [_planned(role, offer, env=request.env) for role, offer in zip(roles, offers, strict=True)]
        plan = await self._inputs(session, principal, request, roles=planned)
        return plan.model_copy(
            update={
                "retries": request.retries,
                "backoff_seconds": request.backoff_seconds,
                "deadline_seconds": request.deadline_seconds,
                "budget_micro": request.budget_micro,
                "output_model": request.output.model if request.output else "",
            }
        )

    async def notebook(
        self, session: AsyncSession, principal: Principal, request: NotebookRequest, workspace: str
    ) -> Plan:
        """Return the plan of a notebook; its command comes with the claim."""
        role = Role(name="notebook", command=["jupyterhub-singleuser"], spec=request.spec, is_main=True)
        [offer] = await self._offers(session, principal, [role], ["spec"], workspace=workspace, kind="notebook")
        plan = await self._inputs(session, principal, request, roles=[_planned(role, offer, env={})])
        return plan.model_copy(update={"idle_seconds": request.idle_seconds})

    async def _offers(
        self,
        session: AsyncSession,
        principal: Principal,
        roles: Sequence[Role],
        fields: Sequence[str],
        *,
        workspace: str,
        kind: Kind,
    ) -> list[Offer]:
        offers: list[Offer] = []
        for role, field in zip(roles, fields, strict=True):
            offer = await self._resources.spec_for(
                session, principal, name=role.spec, kind=kind, field=field, workspace=workspace
            )
            # Alone first, so that the refusal names the role that is too big.
            await self._resources.require_fits(
                session, principal, wanted=[(offer, 1)], kind=kind, field=field, workspace=workspace
            )
            offers.append(offer)
        together = [(offer, role.min_available or role.replicas) for role, offer in zip(roles, offers, strict=True)]
        if sum(number for _, number in together) > 1:
            await self._resources.require_fits(
                session, principal, wanted=together, kind=kind, field=fields[0], workspace=workspace
            )
        return offers

    async def _inputs(
        self, session: AsyncSession, principal: Principal, request: Inputs, *, roles: list[PlannedRole]
    ) -> Plan:
        environment = await self._environments.resolve(
            session, principal, reference=request.environment, field="environment"
        )
        if isinstance(request, NotebookRequest) and environment.no_notebook:
            raise Invalid(environment.no_notebook, field="environment")
        if isinstance(request, JobRequest) and request.notebook is not None and environment.no_executor:
            raise Invalid(environment.no_executor, field="environment")
        wanted: list[tuple[InputKind, str, str]] = [
            *(("dataset", ref, f"datasets.{at}") for at, ref in enumerate(request.datasets)),
            *([("algorithm", request.algorithm, "algorithm")] if request.algorithm else []),
            *(("model", ref, f"models.{at}") for at, ref in enumerate(request.models)),
        ]
        inputs: list[Input] = []
        for kind, reference, field in wanted:
            version = await self._assets[kind].resolve(session, principal, reference, field=field)
            if any(item.kind == kind and item.name == version.name for item in inputs):
                raise Invalid(
                    f"Two {kind}s are called '{version.name}', and only one can be at that path: leave one out.",
                    field=field,
                )
            label = f"{version.workspace}/{version.name}@{version.number}"
            inputs.append(Input(kind=kind, version=version.id, name=version.name, reference=label))
        return Plan(
            environment=environment.version_id,
            environment_ref=str(environment),
            environment_digest=environment.digest,
            roles=roles,
            inputs=inputs,
        )


def _roles(request: JobRequest) -> tuple[list[Role], bool]:
    """Return the roles of either form, and whether it was the short one."""
    if request.roles is not None:
        return request.roles, False
    assert request.spec is not None
    command = RUN_NOTEBOOK if request.notebook is not None else request.command
    assert command is not None
    role = Role(
        name="main",
        command=command,
        args=request.args,
        spec=request.spec,
        replicas=request.replicas,
        is_main=True,
    )
    return [role], True


def _planned(role: Role, offer: Offer, *, env: dict[str, str]) -> PlannedRole:
    spec = offer.spec
    if isinstance(role.command, str):
        argv = ["sh", "-c", " ".join([role.command, *([shlex.join(role.args)] if role.args else [])])]
    else:
        argv = [*role.command, *role.args]
    return PlannedRole(
        name=role.name,
        argv=argv,
        env=env | role.env,
        replicas=role.replicas,
        min_available=role.min_available or role.replicas,
        is_main=role.is_main,
        spec=spec.name,
        pool=offer.pool,
        cpu_milli=spec.cpu_milli,
        memory=spec.memory,
        accelerators=spec.accelerators,
        accelerator_type=spec.accelerator_type,
        price_micro=spec.price_micro,
    )
