"""The environments workloads run in, ready and fit for them."""

from __future__ import annotations

from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.views import EnvironmentRef
from pumpkin_services.pipeline.verdict import Hopeless, Verdict
from pumpkin_services.problems import Unavailable
from pumpkin_services.workloads.tables import WorkloadRow


class Environments:
    """Finds environments. Versions are immutable, so one that was ready is, while its folder is there."""

    def __init__(self, service: EnvironmentService) -> None:
        self._service = service
        self._ready: dict[str, EnvironmentRef] = {}

    async def wait(self, row: WorkloadRow, version: str) -> EnvironmentRef:
        """Return a version once it is ready, which may take as long as a build does.

        Raises:
            Hopeless: if it failed, is gone, or the workload cannot be run in it.
        """
        found = await self._find(row, version, wait=True)
        assert found is not None
        return found

    async def look(self, row: WorkloadRow, version: str) -> EnvironmentRef | None:
        """Return a version if it is ready, None while it is built; raise `Hopeless` as `wait` does."""
        return await self._find(row, version, wait=False)

    async def _find(self, row: WorkloadRow, version: str, *, wait: bool) -> EnvironmentRef | None:
        found = self._ready.get(version)
        if found is None or found.python is None or not found.python.exists():
            try:
                found = await (self._service.ensure_ready if wait else self._service.if_ready)(version)
            except Unavailable as problem:
                if problem.reason not in ("environment_failed", "environment_gone"):
                    raise
                raise _hopeless(problem.detail) from problem
            if found is None:
                return None
            self._ready[version] = found
        if row.kind == "notebook" and found.no_notebook:
            raise _hopeless(found.no_notebook)
        if row.kind != "notebook" and row.notebook and found.no_executor:
            raise _hopeless(found.no_executor)
        return found


def _hopeless(message: str) -> Hopeless:
    return Hopeless(Verdict(phase="failed", reason="environment_failed", message=message))
