"""Routes by which versions are read: lists, trees, files and ranges, archives, differences, bulk reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Access, Owned
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.artifacts.tables import VersionRow
from pumpkin_services.storage.ranges import begin_range
from pumpkin_services.web import Call, Page, Route


class _Reads:
    """The endpoints of one kind."""

    def __init__(self, artifacts: ArtifactService, access: Access) -> None:
        self.artifacts = artifacts
        self.access = access

    async def _owned(self, call: Call[Any, Any]) -> Owned:
        where = {"workspace": call.path["workspace"], "name": call.path["name"]}
        async with self.artifacts.database.read() as session:
            owned = await self.access.readable(session, call.principal, **where)
        if owned.workspace not in call.principal.workspaces and call.principal.admin(f"{owned.kind}s"):
            call.audit.update(object=f"{owned.workspace}/{owned.name}", owner=owned.workspace)
        return owned

    async def _version(self, call: Call[Any, Any]) -> VersionRow:
        owned = await self._owned(call)
        async with self.artifacts.database.read() as session:
            return await self.artifacts.reads.find(session, owned=owned, number=call.path["version"])

    async def list(self, call: Call[Any, wire.VersionQuery]) -> Page[wire.Version]:
        owned = await self._owned(call)
        return await self.artifacts.reads.list(call.session, owned=owned, query=call.query)

    async def get(self, call: Call[Any, Any]) -> VersionRow:
        return await self._version(call)

    async def tree(self, call: Call[Any, wire.TreeQuery]) -> Page[wire.TreeEntry]:
        version = await self._version(call)
        return await self.artifacts.reads.tree(version, query=call.query)

    async def stat(self, call: Call[Any, Any]) -> wire.TreeEntry:
        return await self.artifacts.reads.stat(await self._version(call), path=call.path["path"])

    async def read(self, call: Call[Any, Any]) -> AsyncIterator[bytes]:
        version = await self._version(call)
        entry = await self.artifacts.reads.file(version, path=call.path["path"])
        call.handler.set_header("X-Content-SHA256", entry.sha256)
        start, end = begin_range(call.handler, size=entry.size)
        return self.artifacts.reads.read_file(version, entry=entry, start=start, end=end)

    async def archive(self, call: Call[Any, wire.ArchiveQuery]) -> AsyncIterator[bytes]:
        version = await self._version(call)
        kind, name = call.query.format, f"{call.path['name']}-{version.number}"
        call.handler.set_header("Content-Type", "application/zip" if kind == "zip" else "application/x-tar")
        call.handler.set_header("Content-Disposition", f'attachment; filename="{name}.{kind}"')
        return self.artifacts.reads.archive(version, archive_format=kind, folder=call.query.folder)

    async def manifest(self, call: Call[Any, Any]) -> AsyncIterator[bytes]:
        version = await self._version(call)
        call.handler.set_header("X-Manifest-Hash", version.manifest_hash or "")
        return self.artifacts.reads.manifest(version)

    async def objects(self, call: Call[Any, wire.VersionQuery]) -> Page[wire.ReadObject]:
        version = await self._version(call)
        async with self.artifacts.database.read() as session:
            return await self.artifacts.reads.objects(session, version, creator=call.principal.name, query=call.query)

    async def diff(self, call: Call[Any, wire.DiffQuery]) -> wire.Diff:
        owned = await self._owned(call)
        async with self.artifacts.database.read() as session:
            old = await self.artifacts.reads.find(session, owned=owned, number=str(call.query.old), field="old")
            new = await self.artifacts.reads.find(session, owned=owned, number=str(call.query.new), field="new")
        return await self.artifacts.reads.diff(old, new, query=call.query)


def routes(artifacts: ArtifactService, access: Access) -> list[Route]:
    """Return the routes that read versions of `access.kind`; `{version}` is a number or `latest`."""
    do = _Reads(artifacts, access)
    module = f"{access.kind}s"
    base = f"/{module}/{{workspace}}/{{name}}"
    version = f"{base}/versions/{{version}}"

    def route(path: str, summary: str, endpoint: Any, **more: Any) -> Route:
        more = {"session": False} | more
        return Route(
            method="GET", path=path, summary=summary, endpoint=endpoint, scope=f"{module}:read", owner="visible", **more
        )

    return [
        route(
            f"{base}/versions",
            f"List versions of a {access.kind}",
            do.list,
            query=wire.VersionQuery,
            response=Page[wire.Version],
            session=True,
        ),
        route(version, "Get a version", do.get, response=wire.Version),
        route(
            f"{version}/tree",
            "List a folder of a version",
            do.tree,
            query=wire.TreeQuery,
            response=Page[wire.TreeEntry],
        ),
        route(f"{version}/stat/{{path*}}", "Describe a file or folder", do.stat, response=wire.TreeEntry),
        route(
            f"{version}/files/{{path*}}",
            "Read a file, or a byte range of it",
            do.read,
            streams="application/octet-stream",
            rate="bulk",
        ),
        route(
            f"{version}/archive",
            "Download a version as tar or zip",
            do.archive,
            query=wire.ArchiveQuery,
            streams="application/x-tar, application/zip",
        ),
        route(f"{version}/manifest", "Download the gzipped manifest", do.manifest, streams="application/gzip"),
        route(
            f"{version}/objects",
            "Get signed URLs of the objects a version is made of",
            do.objects,
            query=wire.VersionQuery,
            response=Page[wire.ReadObject],
        ),
        route(f"{base}/diff", "Compare two versions", do.diff, query=wire.DiffQuery, response=wire.Diff),
    ]
