"""What a workload needs before it starts: its environment, its inputs on this node, its folders; then its launch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from pumpkin_services.images.kernels import kernel_name
from pumpkin_services.images.registration import DEFAULT
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.views import EnvironmentRef
from pumpkin_services.names import PLATFORM_WORKSPACE
from pumpkin_services.pipeline.environments import Environments
from pumpkin_services.pipeline.kernels import Kernels, folders_of, in_place
from pumpkin_services.pipeline.sdk import sdk_folder, with_sdk
from pumpkin_services.pipeline.verdict import Hopeless, Verdict
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Bind, Key, Launch, ReplicaSpec
from pumpkin_services.workloads.plan import Input, Plan
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow
from pumpkin_services.workloads.tokens import Tokens

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TARGETS = {"dataset": "/dataset/{name}", "algorithm": "/code", "model": "/pretrainmodel/{name}"}


class Folders(Protocol):
    """Versions as folders on this node."""

    async def materialise(self, version_id: str, *, holder: str) -> Path:
        """Return a read-only folder with the version's files, kept for `holder` until `release`."""
        ...

    async def release(self, holder: str) -> None:
        """Let what `holder` used be evicted."""
        ...


class Preparer(Protocol):
    """Gets workloads ready for a runtime, and knows where on this machine what comes of them lies."""

    async def prepare(self, row: WorkloadRow, plan: Plan) -> Prepared:
        """Get everything ready; may take as long as a build or a download does. Repeating it costs little.

        Raises:
            Hopeless: if the environment could not be built or an input is gone.
            Problem: for what may pass (`Unavailable`, `StorageFull`).
        """
        ...

    async def release(self, workload: str) -> None:
        """Let go of what the workload used."""
        ...

    def launch(self, row: WorkloadRow, plan: Plan, replicas: Sequence[ReplicaRow], ready: Prepared) -> Launch:
        """Return what to start: the main role first, each replica with its share."""
        ...

    def output(self, key: Key) -> Path:
        """Where an attempt leaves its model."""
        ...

    def metrics(self, key: Key) -> Path:
        """The file `pumpkin.log_metrics` appends to."""
        ...

    def make_folders(self, key: Key, user: str) -> None:
        """Make the writable folders of an attempt (blocking, quick)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is ready: the environment, the folders to bind and, for a notebook, the folder of its kernels."""

    environment: EnvironmentRef
    binds: tuple[Bind, ...]
    kernels: Path | None = None


class LocalPreparer:
    """Prepares workloads on this machine. `data` is the platform's data folder, `url` where workloads find the Hub."""

    def __init__(
        self,
        *,
        data: Path,
        environments: EnvironmentService,
        kernels: Kernels,
        folders: Folders,
        tokens: Tokens,
        url: str,
    ) -> None:
        self._data = data
        self._environments = Environments(environments)
        self._kernels = kernels
        self._folders = folders
        self._tokens = tokens
        self._url = url
        self._sdk = sdk_folder(data)

    async def prepare(self, row: WorkloadRow, plan: Plan) -> Prepared:
        """Get everything ready; may take as long as a build or a download does. Repeating it costs little.

        Raises:
            Hopeless: if the environment could not be built or an input is gone.
            Problem: for what may pass (`Unavailable`, `StorageFull`).
        """
        environment = await self._environments.wait(row, plan.environment)
        binds = [await self._bind(row.id, item) for item in plan.inputs]
        if row.kind != "notebook":
            return Prepared(environment=environment, binds=tuple(binds))
        kernels = self._run(Key(row.id, row.attempt)) / "jupyter"
        binds += await self._kernels.lay_out(kernels, user=row.creator, chosen=environment)
        return Prepared(environment=environment, binds=tuple(binds), kernels=kernels)

    async def _bind(self, workload: str, item: Input) -> Bind:
        try:
            folder = await self._folders.materialise(item.version, holder=workload)
        except Problem as problem:
            if problem.status not in (404, 409, 422):
                raise
            message = f"The {item.kind} {item.reference} cannot be had: {problem.detail}"
            raise Hopeless(Verdict(phase="failed", reason="input_missing", message=message)) from problem
        return Bind(source=str(folder), target=TARGETS[item.kind].format(name=item.name))

    async def release(self, workload: str) -> None:
        """Let go of what the workload used on this node."""
        await self._folders.release(workload)

    # -- folders ----------------------------------------------------------------------------------------------

    def output(self, key: Key) -> Path:
        """Where an attempt leaves its model."""
        return self._run(key) / "output"

    def metrics(self, key: Key) -> Path:
        """The file `pumpkin.log_metrics` appends to."""
        return self._run(key) / "metrics" / "metrics.jsonl"

    def home(self, user: str) -> Path:
        """A user's home; the name may hold anything a Hub user's may."""
        return self._data / "homes" / quote(user, safe="@+ ").replace(".", "%2E", 1 if user.startswith(".") else 0)

    def _run(self, key: Key) -> Path:
        return self._data / "runs" / key.workload / str(key.attempt)

    def make_folders(self, key: Key, user: str) -> None:
        """Make the writable folders of an attempt (blocking, quick)."""
        for folder in (self.output(key), self.metrics(key).parent, self.home(user)):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    # -- launch -----------------------------------------------------------------------------------------------

    def launch(self, row: WorkloadRow, plan: Plan, replicas: Sequence[ReplicaRow], ready: Prepared) -> Launch:
        """Return what to start: the main role first, each replica with its share."""
        key = Key(row.id, row.attempt)
        roles = {role.name: role for role in plan.roles}
        order = [role.name for role in plan.ordered]
        common = self._variables(row, plan, ready)
        binds = self._binds(key, row.creator, ready)
        claim = row.claim or {}
        own = _claimed(claim, common)
        if ready.kernels is not None:
            # Behind the spawner's, whose kernel is the platform's own.
            own["JUPYTER_PATH"] = os.pathsep.join(filter(None, [own.get("JUPYTER_PATH"), str(ready.kernels)]))
        return Launch(
            key=key,
            replicas=[
                ReplicaSpec(
                    role=item.role,
                    index=item.index,
                    argv=claim.get("command") or roles[item.role].argv,
                    env=with_sdk({**common, **roles[item.role].env, **own}, self._sdk),
                    cwd=claim.get("cwd") or ("/userhome" if row.kind == "notebook" else ""),
                    cpu_milli=item.cpu_milli,
                    memory=item.memory,
                    accelerators=item.accelerators,
                    binds=binds,
                )
                for item in sorted(replicas, key=lambda item: (order.index(item.role), item.index))
            ],
        )

    def _variables(self, row: WorkloadRow, plan: Plan, ready: Prepared) -> dict[str, str]:
        key = Key(row.id, row.attempt)
        environment = ready.environment
        folder = environment.python.parent if environment.python else Path("/usr/bin")
        values = identity(row, plan, attempt=row.attempt) | {
            "PATH": f"{folder}{os.pathsep}{SYSTEM_PATH}",
            "PUMPKIN_METRICS": str(self.metrics(key)),
        }
        # A notebook acts as its user, with the Hub's token; a job has an identity of its own.
        if row.kind == "job":
            return values | {"PUMPKIN_URL": self._url, "PUMPKIN_TOKEN": self._tokens.token(row.id, row.attempt)}
        return values | served(environment)

    def _binds(self, key: Key, user: str, ready: Prepared) -> list[Bind]:
        metrics = str(self.metrics(key).parent)
        seen = {bind.target for bind in ready.binds}
        shared = in_place([*folders_of(ready.environment), *([self._sdk] if self._sdk else [])])
        return [
            *ready.binds,
            *[bind for bind in shared if bind.target not in seen],
            # At its own path, so that PUMPKIN_METRICS is right with and without a sandbox.
            Bind(source=metrics, target=metrics, writable=True),
            Bind(source=str(self.output(key)), target="/model", writable=True),
            Bind(source=str(self.home(user)), target="/userhome", writable=True),
        ]


def identity(row: WorkloadRow, plan: Plan, *, attempt: int) -> dict[str, str]:
    """Return the variables that tell a workload who it is, wherever it runs."""
    return {
        "USER": row.creator,
        "PUMPKIN_WORKLOAD": row.id,
        "PUMPKIN_ATTEMPT": str(attempt),
        "PUMPKIN_NAME": row.name,
        "PUMPKIN_WORKSPACE": row.workspace,
        "PUMPKIN_ENVIRONMENT": plan.environment_ref,
    }


def served(environment: EnvironmentRef) -> dict[str, str]:
    """Return what tells the spawner's command line how a notebook uses its environment: as server or as kernel.

    PUMPKIN_SERVER_ENVIRONMENT is what the server itself, and so its kernel `python3`, runs on.
    """
    own = {"PUMPKIN_SERVER_ENVIRONMENT": str(environment)}
    if environment.python == Path(sys.executable):
        return own  # the platform's, which servers run on anyway
    if environment.server:
        return own | {"PUMPKIN_SERVER_PYTHON": str(environment.python)}
    default = f"{PLATFORM_WORKSPACE}/{DEFAULT}"
    return {"PUMPKIN_SERVER_ENVIRONMENT": default, "PUMPKIN_KERNEL": kernel_name(environment)}


def _claimed(claim: Mapping[str, Any], common: Mapping[str, str]) -> dict[str, str]:
    """Return the spawner's variables; its PATH and HOME are the Hub's and mean nothing here."""
    given: Mapping[str, Any] = claim.get("env") or {}
    env = {str(name): str(value) for name, value in given.items()}
    return {name: value for name, value in env.items() if name not in ("PATH", "HOME") and name not in common}


def parameters(plan: Plan) -> dict[str, Any]:
    """Return what a model's lineage says of how it was made."""
    return json.loads(
        json.dumps(
            {role.name: {"command": role.argv, "env": role.env, "replicas": role.replicas} for role in plan.roles}
        )
    )
