"""Routes of environments."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from pumpkin_services.images import logs
from pumpkin_services.images import models as wire
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.problems import Invalid, NotFound
from pumpkin_services.storage.ranges import begin_range
from pumpkin_services.takedown import TakeDown
from pumpkin_services.web import Call, Route, ServerSentEvent

AnyCall = Call[Any, Any]
ONE = "/images/{image}"
VERSION = ONE + "/versions/{number}"
STATE_SECONDS = 0.5
"""How often a follower of a log asks whether the build has ended."""


def routes(service: EnvironmentService) -> list[Route]:
    """Return the module's part of the route table."""
    api = _Endpoints(service)
    return [*_environments(api), *_versions(api), *_logs(api)]


def _environments(api: _Endpoints) -> list[Route]:
    return [
        Route(
            method="POST", path="/images", summary="Create an environment and build its version 1",
            scope="images:write", owner="member", endpoint=api.create,
            request=wire.CreateEnvironment, response=wire.Environment, status=201,
        ),
        Route(
            method="GET", path="/images", summary="List the environments you may use",
            scope="images:read", owner="visible", endpoint=api.list,
            query=wire.EnvironmentQuery, response=wire.EnvironmentPage,
        ),
        Route(
            method="POST", path="/images/check", summary="Tell which lines of requirements would be refused, and why",
            scope="images:read", owner="any", endpoint=api.check, session=False, asks=True,
            request=wire.Requirements, response=wire.CheckedRequirements,
        ),
        Route(
            method="POST", path="/images/interpreters", summary="Offer an existing Python as an environment",
            scope="images:admin", owner="admin", endpoint=api.register, session=False,
            request=wire.RegisterInterpreter, response=wire.Environment, status=201,
        ),
        Route(
            method="GET", path="/images/resolve", summary="Find the version a reference means",
            scope="images:read", owner="visible", endpoint=api.resolve,
            query=wire.ResolveQuery, response=wire.EnvironmentVersion,
        ),
        Route(
            method="GET", path=ONE, summary="Show one environment",
            scope="images:read", owner="visible", endpoint=api.get, response=wire.Environment,
        ),
        Route(
            method="PATCH", path=ONE, summary="Edit description, visibility and sharing",
            scope="images:write", owner="member", endpoint=api.edit,
            request=wire.EditEnvironment, response=wire.Environment,
        ),
        Route(
            method="DELETE", path=ONE, summary="Delete an environment that no workload uses",
            scope="images:write", owner="member", endpoint=api.delete,
        ),
        Route(
            method="POST", path=ONE + "/takedown", summary="Hide an environment from all but its workspace",
            scope="images:admin", owner="admin", endpoint=api.take_down, request=TakeDown, response=wire.Environment,
        ),
        Route(
            method="POST", path=ONE + "/restore", summary="Show an environment again that was taken down",
            scope="images:admin", owner="admin", endpoint=api.restore, response=wire.Environment,
        ),
        Route(
            method="PUT", path=ONE + "/shares/{target}", summary="Share an environment with a workspace",
            scope="images:write", owner="member", endpoint=api.share, response=wire.Environment,
        ),
        Route(
            method="DELETE", path=ONE + "/shares/{target}", summary="End the sharing with a workspace",
            scope="images:write", owner="member", endpoint=api.unshare, response=wire.Environment,
        ),
        Route(
            method="POST", path=ONE + "/diff", summary="Compare what a notebook has installed with a version",
            scope="images:read", owner="visible", endpoint=api.diff,
            request=wire.Installed, response=wire.Difference,
        ),
        Route(
            method="POST", path=ONE + "/freeze", summary="Keep what a notebook has installed as a new version",
            scope="images:write", owner="member", endpoint=api.freeze,
            request=wire.FreezeEnvironment, response=wire.EnvironmentVersion, status=201,
        ),
    ]  # fmt: skip


def _versions(api: _Endpoints) -> list[Route]:
    return [
        Route(
            method="GET", path=ONE + "/versions", summary="List an environment's versions",
            scope="images:read", owner="visible", endpoint=api.versions,
            query=wire.PageQuery, response=wire.VersionPage,
        ),
        Route(
            method="POST", path=ONE + "/versions", summary="Build a new version from requirements",
            scope="images:write", owner="member", endpoint=api.add_version,
            request=wire.Requirements, response=wire.EnvironmentVersion, status=201,
        ),
        Route(
            method="GET", path=VERSION, summary="Show one version with its lock",
            scope="images:read", owner="visible", endpoint=api.version, response=wire.EnvironmentVersion,
        ),
        Route(
            method="DELETE", path=VERSION, summary="Delete a version that no workload uses; stops its build",
            scope="images:write", owner="member", endpoint=api.delete_version,
        ),
        Route(
            method="POST", path=VERSION + "/retry", summary="Build a failed version again",
            scope="images:write", owner="member", endpoint=api.retry, response=wire.EnvironmentVersion,
        ),
    ]  # fmt: skip


def _logs(api: _Endpoints) -> list[Route]:
    return [
        Route(
            method="GET", path=VERSION + "/log", summary="Read a build log, or a byte range of it",
            scope="images:read", owner="visible", endpoint=api.log, streams="text/plain; charset=utf-8", session=False,
        ),
        Route(
            method="GET", path=VERSION + "/log/events", summary="Follow a build log; event ids are byte offsets",
            scope="images:read", owner="visible", endpoint=api.follow, streams="text/event-stream", session=False,
        ),
    ]  # fmt: skip


def _number(call: AnyCall) -> int:
    text = call.path["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise NotFound(f"There is no version '{text[:40]}': versions are numbered from 1.", field="number")
    return int(text)


class _Endpoints:
    def __init__(self, service: EnvironmentService) -> None:
        self.service = service

    async def create(self, call: AnyCall) -> Any:
        made = await self.service.create(call.session, call.principal, request=call.body)
        call.audit.update(object=made.id, owner=made.workspace)
        call.after_commit(self.service.wake)
        return made

    async def list(self, call: AnyCall) -> Any:
        return await self.service.list(call.session, call.principal, query=call.query)

    async def check(self, call: AnyCall) -> Any:
        return self.service.check(call.body)

    async def register(self, call: AnyCall) -> Any:
        made = await self.service.interpreters.register(call.principal, request=call.body)
        call.audit.update(object=made.id, owner=made.workspace)
        return made

    async def get(self, call: AnyCall) -> Any:
        found = await self.service.get(call.session, call.principal, environment=call.path["image"])
        other = found.visibility == "private" and found.workspace not in call.principal.workspaces
        if other and call.principal.admin("images"):
            call.audit.update(object=found.id, owner=found.workspace)
        return found

    async def edit(self, call: AnyCall) -> Any:
        return await self.service.edit(
            call.session, call.principal, environment=call.path["image"], request=call.body, revision=call.if_match
        )

    async def take_down(self, call: AnyCall) -> Any:
        call.audit["reason"] = call.body.reason
        hidden = await self.service.take_down(
            call.session, call.principal, environment=call.path["image"], reason=call.body.reason
        )
        call.audit["owner"] = hidden.workspace
        return hidden

    async def restore(self, call: AnyCall) -> Any:
        shown = await self.service.restore(call.session, call.principal, environment=call.path["image"])
        call.audit["owner"] = shown.workspace
        return shown

    async def delete(self, call: AnyCall) -> None:
        await self.service.delete(call.session, call.principal, environment=call.path["image"], revision=call.if_match)
        call.after_commit(self.service.wake)

    async def share(self, call: AnyCall) -> Any:
        return await self.service.share(
            call.session, call.principal, environment=call.path["image"], target=call.path["target"], shared=True
        )

    async def unshare(self, call: AnyCall) -> Any:
        return await self.service.share(
            call.session, call.principal, environment=call.path["image"], target=call.path["target"], shared=False
        )

    async def resolve(self, call: AnyCall) -> Any:
        found = await self.service.resolve(
            call.session, call.principal, reference=call.query.reference, field="reference"
        )
        return await self.service.version(
            call.session, call.principal, environment=found.environment_id, number=found.number
        )

    async def diff(self, call: AnyCall) -> Any:
        return await self.service.difference(
            call.session, call.principal, environment=call.path["image"], request=call.body
        )

    async def freeze(self, call: AnyCall) -> Any:
        made = await self.service.freeze(
            call.session, call.principal, environment=call.path["image"], request=call.body
        )
        call.after_commit(self.service.wake)
        return made

    async def versions(self, call: AnyCall) -> Any:
        return await self.service.versions(
            call.session, call.principal, environment=call.path["image"], query=call.query
        )

    async def add_version(self, call: AnyCall) -> Any:
        made = await self.service.add_version(
            call.session, call.principal, environment=call.path["image"], request=call.body
        )
        call.after_commit(self.service.wake)
        return made

    async def version(self, call: AnyCall) -> Any:
        return await self.service.version(
            call.session, call.principal, environment=call.path["image"], number=_number(call)
        )

    async def delete_version(self, call: AnyCall) -> None:
        version = await self.service.delete_version(
            call.session, call.principal, environment=call.path["image"], number=_number(call)
        )
        call.after_commit(lambda: self.service.wake(version))

    async def retry(self, call: AnyCall) -> Any:
        made = await self.service.retry(
            call.session, call.principal, environment=call.path["image"], number=_number(call)
        )
        call.after_commit(self.service.wake)
        return made

    async def log(self, call: AnyCall) -> AsyncIterator[bytes]:
        version = await self._version(call)
        path = self.service.files.log(version.id)
        start, end = begin_range(call.handler, size=logs.size(path))
        return logs.read(path, start=start, end=end)

    async def follow(self, call: AnyCall) -> AsyncIterator[ServerSentEvent]:
        version = await self._version(call)
        start = call.last_event_id or "0"
        if not (start.isascii() and start.isdigit() and len(start) <= 18):
            raise Invalid("Last-Event-ID is not an id this log handed out.", field="Last-Event-ID")
        return self._events(call, version, int(start))

    async def _events(
        self, call: AnyCall, version: wire.EnvironmentVersion, start: int
    ) -> AsyncIterator[ServerSentEvent]:
        """Send `log` events ({"text"}) as the log grows, then one `end` event ({"state", "reason", "message"})."""
        now = version
        asked = 0.0

        async def ended() -> bool:
            nonlocal now, asked
            if time.monotonic() - asked > STATE_SECONDS:
                asked = time.monotonic()
                try:
                    now = await self._version(call)
                except NotFound:
                    now = now.model_copy(update={"state": "deleted"})
            return now.state not in ("queued", "building")

        async for at, text in logs.follow(self.service.files.log(version.id), start=start, ended=ended):
            start = at
            yield ServerSentEvent(event="log", id=str(at), data=json.dumps({"text": text}))
        last = {"state": now.state, "reason": now.reason, "message": now.message}
        yield ServerSentEvent(event="end", id=str(start), data=json.dumps(last))

    async def _version(self, call: AnyCall) -> wire.EnvironmentVersion:
        async with self.service.database.read() as session:
            return await self.service.version(
                session, call.principal, environment=call.path["image"], number=_number(call)
            )
