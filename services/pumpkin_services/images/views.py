"""What rows look like outside: wire models for the API, `EnvironmentRef` for the other modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.images import models as wire
from pumpkin_services.images.tables import EnvironmentRow, EnvironmentShareRow, EnvironmentVersionRow
from pumpkin_services.principal import Principal

KERNEL_PACKAGE = "ipykernel"
EXECUTOR_PACKAGES = (KERNEL_PACKAGE, "nbclient")
"""What a job needs to run a notebook."""
SERVER_PACKAGES = frozenset({"jupyterhub", "jupyterlab"})


@dataclass(frozen=True, kw_only=True)
class EnvironmentRef:
    """A version a workload runs on. `prefix` and `python` are None until it is ready."""

    version_id: str
    environment_id: str
    workspace: str
    name: str
    number: int
    state: wire.State
    digest: str
    prefix: Path | None
    python: Path | None
    kernel: bool
    """Whether notebooks can run kernels from it."""
    server: bool
    """Whether a notebook server itself can run from it."""
    executor: bool = True
    """Whether a job can run a notebook in it."""

    def __str__(self) -> str:
        return f"{self.workspace}/{self.name}@{self.number}"

    @property
    def no_notebook(self) -> str:
        """Why no notebook can be started on it, "" if one can; a version that is not ready yet may still turn out."""
        if self.server or self.kernel or self.state != "ready":
            return ""
        return (
            f"The environment {self} has neither {KERNEL_PACKAGE}, for kernels, nor "
            f"{' and '.join(sorted(SERVER_PACKAGES))}, for a server of its own: add either to its requirements."
        )

    @property
    def no_executor(self) -> str:
        """Why no job can run a notebook in it, "" if one can, or if that is not known before it is ready."""
        if self.executor or self.state != "ready":
            return ""
        return f"To run notebooks, the environment {self} needs {' and '.join(EXECUTOR_PACKAGES)}: add them to it."


def protected(row: EnvironmentRow) -> bool:
    """Tell whether only image admins may change it: it is offered as the platform's own."""
    return row.preset or row.kind == "interpreter"


def reference(row: EnvironmentRow, version: EnvironmentVersionRow) -> EnvironmentRef:
    """Return what other modules need to know about a version."""
    ready = version.state == "ready"
    return EnvironmentRef(
        version_id=version.id,
        environment_id=row.id,
        workspace=row.workspace,
        name=row.name,
        number=version.number,
        state=cast(wire.State, version.state),
        digest=version.digest,
        prefix=Path(version.prefix) if ready else None,
        python=Path(version.python) if ready else None,
        kernel=KERNEL_PACKAGE in version.packages,
        server=version.packages.keys() >= SERVER_PACKAGES,
        executor=all(name in version.packages for name in EXECUTOR_PACKAGES),
    )


def summary(version: EnvironmentVersionRow) -> wire.VersionSummary:
    """Return a version as lists show it."""
    return wire.VersionSummary(
        id=version.id,
        environment=version.environment,
        number=version.number,
        creator=version.creator,
        state=cast(wire.State, version.state),
        python_version=version.python_version,
        kernel=KERNEL_PACKAGE in version.packages,
        bytes=version.bytes,
        reason=version.reason,
        message=version.message,
        created=version.created,
        started=version.started,
        finished=version.finished,
    )


def full(version: EnvironmentVersionRow) -> wire.EnvironmentVersion:
    """Return a version with its lock."""
    return wire.EnvironmentVersion(
        **summary(version).model_dump(),
        requirements=version.requirements,
        lock=version.lock,
        packages={name: str(number) for name, number in version.packages.items()},
        digest=version.digest,
        prefix=version.prefix,
        log=f"/images/{version.environment}/versions/{version.number}/log",
    )


async def environments(
    session: AsyncSession, principal: Principal, rows: Sequence[EnvironmentRow]
) -> list[wire.Environment]:
    """Return environments with their newest version and their shares, in the order given, in three queries at most."""
    if not rows:
        return []
    newest = select(EnvironmentVersionRow).where(
        or_(
            *(
                and_(EnvironmentVersionRow.environment == row.id, EnvironmentVersionRow.number == row.latest)
                for row in rows
            )
        )
    )
    latest = {version.environment: version for version in await session.scalars(newest)}
    shares: dict[str, list[str]] = {row.id: [] for row in rows}
    for share in await session.scalars(select(EnvironmentShareRow).where(EnvironmentShareRow.environment.in_(shares))):
        shares[share.environment].append(share.workspace)
    return [_environment(principal, row, latest.get(row.id), sorted(shares[row.id])) for row in rows]


def _environment(
    principal: Principal, row: EnvironmentRow, latest: EnvironmentVersionRow | None, shared_with: list[str]
) -> wire.Environment:
    admin = principal.admin("images")
    return wire.Environment(
        id=row.id,
        name=row.name,
        workspace=row.workspace,
        creator=row.creator,
        description=row.description,
        visibility=cast(wire.Visibility, row.visibility),
        shared_with=shared_with if admin or row.workspace in principal.workspaces else [],
        preset=row.preset,
        taken_down=row.notice(),
        kind=cast(wire.Kind, row.kind),
        may_write=admin or (principal.may_write(row.workspace) and not protected(row)),
        latest=summary(latest) if latest is not None else None,
        revision=row.revision,
        created=row.created,
        updated=row.updated,
    )
