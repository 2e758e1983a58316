"""Routes of imports: versions the platform fetches from another server by itself.

`POST …/imports` with a URL answers an import at once; `GET …/imports/{import}?wait=20` tells how it goes. Once its
state is `ready`, `number` is the new version. `DELETE` stops it, or forgets one that is over. `…` is
`/datasets/{workspace}/{name}`, `/algorithms/…` or `/models/…`. The URL is of an archive, a git repository or one file;
or it is `s3://bucket/prefix`, and `s3` in the request says on which server, and holds the key for this import. What may
be reached is the admins' to say (`c.Platform.import_hosts`); nothing is unless they do.
"""

from __future__ import annotations

from typing import Any

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Access
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.web import Call, Page, Route


class _Imports:
    """The endpoints of one kind."""

    def __init__(self, artifacts: ArtifactService, access: Access) -> None:
        self.artifacts = artifacts
        self.access = access

    async def create(self, call: Call[wire.ImportRequest, Any]) -> wire.Import:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        made = await self.artifacts.imports.create(call.session, call.principal, owned=owned, request=call.body)
        call.audit.update(object=made.id, owner=owned.workspace, url=made.url)
        call.after_commit(lambda: self.artifacts.imports.spawn(made.id))
        return made

    async def list(self, call: Call[Any, wire.VersionQuery]) -> Page[wire.Import]:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        return await self.artifacts.imports.list(call.session, owned=owned, query=call.query)

    async def get(self, call: Call[Any, wire.ImportWaitQuery]) -> wire.Import:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        return await self.artifacts.imports.get(call.path["import"], owned=owned, wait=call.query.wait)

    async def remove(self, call: Call[Any, Any]) -> None:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        await self.artifacts.imports.remove(call.session, call.path["import"], owned=owned)
        call.audit.update(object=call.path["import"], owner=owned.workspace)
        call.after_commit(lambda: self.artifacts.imports.stopped(call.path["import"]))


def routes(artifacts: ArtifactService, access: Access) -> list[Route]:
    """Return the routes of imports into things of `access.kind`."""
    do = _Imports(artifacts, access)
    module = f"{access.kind}s"
    base = f"/{module}/{{workspace}}/{{name}}/imports"
    reads: dict[str, Any] = {"method": "GET", "scope": f"{module}:read", "owner": "member"}
    writes: dict[str, Any] = {"scope": f"{module}:write", "owner": "member"}
    return [
        Route(method="POST", path=base, summary="Make a version of what another server has", endpoint=do.create,
              request=wire.ImportRequest, response=wire.Import, status=202, **writes),
        Route(path=base, summary="List imports from other servers", endpoint=do.list, query=wire.VersionQuery,
              response=Page[wire.Import], **reads),
        Route(path=f"{base}/{{import}}", summary="Get an import, or wait for its end", endpoint=do.get,
              query=wire.ImportWaitQuery, response=wire.Import, session=False, **reads),
        Route(method="DELETE", path=f"{base}/{{import}}", summary="Stop or forget an import", endpoint=do.remove,
              **writes),
    ]  # fmt: skip


def _name(call: Call[Any, Any]) -> dict[str, str]:
    return {"workspace": call.path["workspace"], "name": call.path["name"]}
