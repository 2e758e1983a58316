"""What a workload needs on a cluster: an image, its inputs by name, its variables; the pods fetch and send the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pumpkin_services.images.archive import ENVIRONMENT, JUPYTER
from pumpkin_services.images.kernels import activate
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.views import EnvironmentRef
from pumpkin_services.pipeline.environments import Environments
from pumpkin_services.pipeline.prepare import SYSTEM_PATH, TARGETS, Prepared, identity, served
from pumpkin_services.pipeline.sdk import with_sdk
from pumpkin_services.pipeline.verdict import Hopeless
from pumpkin_services.problems import Conflict
from pumpkin_services.runtimes.base import Bind, Key, Launch, ReplicaSpec, Tickets
from pumpkin_services.workloads.plan import Input, Plan
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow
from pumpkin_services.workloads.tokens import Tokens

SDK = Path("/opt/pumpkin/share/pumpkin/sdk")
"""In the image: `pumpkin` and nothing else, for environments that have it not."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster to run on. `sync`, called every few seconds, makes our nodes and pools and the cluster's agree."""

    tickets: Tickets
    preparer: ClusterPreparer
    sync: Callable[[], Awaitable[None]]
    notebook_pod: Callable[[Launch], dict[str, Any]]

    async def pod(self, row: WorkloadRow) -> dict[str, Any]:
        """Return what a granted notebook's pod is made of, for the spawner that makes it."""
        plan = Plan.model_validate(row.plan)
        try:
            ready = await self.preparer.prepare(row, plan)
        except Hopeless as error:
            raise Conflict(error.verdict.message, reason=error.verdict.reason) from error
        return self.notebook_pod(self.preparer.launch(row, plan, (), ready))


class ClusterPreparer:
    """Prepares workloads for a cluster; `image` is the platform's own, `url` where pods find the Hub's proxy."""

    def __init__(self, *, data: Path, environments: EnvironmentService, tokens: Tokens, url: str, image: str) -> None:
        self._data = data
        self._environments = environments
        self._found = Environments(environments)
        self._tokens = tokens
        self._url = url
        self.image = image

    async def prepare(self, row: WorkloadRow, plan: Plan) -> Prepared:
        """Find the environment, which may take as long as its build does; raise `Hopeless` if it cannot be had."""
        return self._prepared(plan, await self._found.wait(row, plan.environment))

    async def offered(self, row: WorkloadRow, plan: Plan) -> Launch | None:
        """Return the launch of a queued workload's next attempt, None while its environment is built.

        Raises:
            Hopeless: if there can be none.
        """
        environment = await self._found.look(row, plan.environment)
        if environment is None:
            return None
        return self._launch(row, plan, self._prepared(plan, environment), attempt=row.attempt + 1)

    def launch(self, row: WorkloadRow, plan: Plan, replicas: Sequence[ReplicaRow], ready: Prepared) -> Launch:
        """Return the launch of the present attempt; all its replicas were offered together."""
        del replicas
        return self._launch(row, plan, ready, attempt=row.attempt)

    async def release(self, workload: str) -> None:
        """Nothing is kept here for a workload: pods hold what they read on their nodes."""

    def _prepared(self, plan: Plan, environment: EnvironmentRef) -> Prepared:
        """Return what a pod is given: what was built comes to its node as inputs do, anything else is in the image."""
        binds = _binds(plan.inputs)
        if self._environments.built(environment):
            source = f"images/{environment.environment_id}/versions/{environment.number}"
            binds += (Bind(source=source, target=str(ENVIRONMENT)),)
            environment = replace(environment, prefix=ENVIRONMENT, python=ENVIRONMENT / "bin/python")
        return Prepared(environment=environment, binds=binds)

    def _launch(self, row: WorkloadRow, plan: Plan, ready: Prepared, *, attempt: int) -> Launch:
        key = Key(row.id, attempt)
        common = (
            identity(row, plan, attempt=attempt)
            | {"PUMPKIN_URL": self._url, "PUMPKIN_TOKEN": self._tokens.token(row.id, attempt)}
            | _activated(row, ready.environment)
        )
        sdk = SDK if ready.environment.prefix == ENVIRONMENT else None
        return Launch(
            key=key,
            kind="notebook" if row.kind == "notebook" else "job",
            workspace=row.workspace,
            user=row.creator,
            image=self.image,
            main=plan.main.name,
            minimum={role.name: role.min_available for role in plan.ordered},
            pinned=row.pin > 0,
            replicas=[
                ReplicaSpec(
                    role=role.name,
                    index=index,
                    argv=role.argv,
                    env=with_sdk(common | role.env, sdk),
                    cpu_milli=role.cpu_milli,
                    memory=role.memory,
                    accelerators=range(role.accelerators),
                    accelerator_type=role.accelerator_type,
                    pool=role.pool,
                    binds=ready.binds,
                )
                for role in plan.ordered
                for index in range(role.replicas)
            ],
        )

    # -- folders ----------------------------------------------------------------------------------------------

    def output(self, key: Key) -> Path:
        """Where what an attempt's pods send home is put."""
        return self._data / "runs" / key.workload / str(key.attempt) / "output"

    def metrics(self, key: Key) -> Path:
        """Pods send their metrics themselves: this file is never there."""
        return self._data / "runs" / key.workload / str(key.attempt) / "metrics" / "metrics.jsonl"

    def make_folders(self, key: Key, user: str) -> None:
        """Make the folder for what is sent home (blocking, quick); homes are volumes."""
        del user
        self.output(key).mkdir(parents=True, exist_ok=True, mode=0o700)


def _activated(row: WorkloadRow, environment: EnvironmentRef) -> dict[str, str]:
    """Return what makes a built environment a job's Python, or a notebook's kernel or server; the image's is anyway."""
    if environment.prefix != ENVIRONMENT:
        return {}
    if row.kind == "notebook":
        return served(environment) | {"JUPYTER_PATH": str(ENVIRONMENT / JUPYTER)}
    return activate(ENVIRONMENT, path=SYSTEM_PATH)


def _binds(inputs: Sequence[Input]) -> tuple[Bind, ...]:
    return tuple(Bind(source=_path(item), target=TARGETS[item.kind].format(name=item.name)) for item in inputs)


def _path(item: Input) -> str:
    """Return the version's path in the API, of its reference `workspace/name@number`."""
    name, _, number = item.reference.rpartition("@")
    return f"{item.kind}s/{name}/versions/{number}"
