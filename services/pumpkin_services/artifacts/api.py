"""Routes by which versions come in: uploads, imports, deletion. `read_api` has those by which they are read.

The upload protocol
===================

A client cuts each file into chunks, by the rule of docs/artifact-format.md (any cut up to 64 MiB is taken, but
only those who cut alike share; a small file is one chunk, an empty file none), names a chunk by its SHA-256, and
packs chunks, one after another, into objects of at most 64 MiB. Below, `…` is `/datasets/{workspace}/{name}` (or
`/algorithms/…`, `/models/…`).

1.  `POST …/uploads` makes an upload: a version nobody sees yet.
2.  `POST …/uploads/{upload}/missing` with up to 10,000 hashes answers those that must be sent. What it does
    not name is in a version the caller may read, or was sent in an unfinished upload of the caller's own, and
    is held for this upload from now on.
3.  `POST …/uploads/{upload}/objects` with the sizes of the next packs answers one target for each;
    `PUT` each pack's bytes to its `url` with its `headers` (no Authorization header: the URL is signed).
    A target that was not used in time is asked for again. With the SHA-256 of each pack the targets may lead
    straight to the object store, which takes those bytes only; with `once` too, which then takes the first body
    that is sent; without either, to this API, which works from everywhere.
4.  `PUT …/uploads/{upload}/objects/{object}` with the pack's chunks in order registers what was sent;
    the server hashes every chunk. Several packs may be on their way at once. Who also says which chunks are parts
    of which file (`FilePart`), and registers a file's packs in order, spares the commit reading it again.
5.  `PUT …/uploads/{upload}/manifest` with the gzipped manifest: one JSON object per line (`ManifestLine`),
    sorted by the UTF-8 bytes of the path. It may be sent again until the commit. Or, after a small change,
    `PATCH …/uploads/{upload}/manifest?base=3` with only the lines that are other than in version 3, and a line
    `{"path":"…","removed":true}` for each file it has too many; what version 3 holds is then held, and need
    not be asked for in step 2.
6.  `POST …/uploads/{upload}/commit` starts the verification of the whole; `GET …/uploads/{upload}?wait=20`
    tells how it goes. Once its state is `ready`, `number` is the new version. The same commit may be sent again.

To resume after any break: find the upload with `GET …/uploads`, and go on from step 2; what was registered is
no longer missing. `DELETE …/uploads/{upload}` gives up. An upload nobody touched for a day is given up too.

Or let the server do it all: `PUT …/import?format=zip|tar` with an archive as the body answers the new version.
Or let it fetch what another server has: `imports_api`.
"""

from __future__ import annotations

from typing import Any, Literal

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Access
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.artifacts.tables import VersionRow
from pumpkin_services.web import Call, Page, Route

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Uploads:
    """The endpoints of one kind."""

    def __init__(self, artifacts: ArtifactService, access: Access) -> None:
        self.artifacts = artifacts
        self.access = access

    async def create(self, call: Call[Any, Any]) -> wire.Upload:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        upload = await self.artifacts.uploads.create(call.session, call.principal, owned=owned)
        call.audit.update(object=upload.id, owner=owned.workspace)
        return upload

    async def list(self, call: Call[Any, wire.VersionQuery]) -> Page[wire.Upload]:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        return await self.artifacts.uploads.list(call.session, owned=owned, query=call.query)

    async def get(self, call: Call[Any, wire.UploadQuery]) -> wire.Upload:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        return await self.artifacts.uploads.get(call.path["upload"], owned=owned, wait=call.query.wait)

    async def abort(self, call: Call[Any, Any]) -> None:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        await self.artifacts.uploads.abort(call.session, call.path["upload"], owned=owned)
        call.audit.update(owner=owned.workspace)

    async def missing(self, call: Call[wire.MissingRequest, Any]) -> wire.Missing:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        return wire.Missing(
            missing=await self.artifacts.uploads.missing(
                call.session, call.principal, upload_id=call.path["upload"], owned=owned, hashes=call.body.hashes
            )
        )

    async def targets(self, call: Call[wire.ObjectsRequest, Any]) -> wire.UploadTargets:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        request = call.body
        if request.origin is not None and not self.artifacts.core.store.admits(request.origin):
            request = wire.ObjectsRequest(sizes=request.sizes)  # a page the store does not let in sends through us
        return wire.UploadTargets(
            objects=await self.artifacts.uploads.targets(
                call.session, upload_id=call.path["upload"], owned=owned, request=request
            )
        )

    async def register(self, call: Call[wire.PackIndex, Any]) -> None:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        await self.artifacts.uploads.register(
            call.path["upload"], object_id=call.path["object"], owned=owned, index=call.body
        )

    async def manifest(self, call: Call[Any, Any]) -> wire.Upload:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        return await self.artifacts.uploads.put_manifest(call.path["upload"], owned=owned, stream=call.stream())

    async def delta(self, call: Call[Any, wire.DeltaQuery]) -> wire.Upload:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        return await self.artifacts.deltas.put(
            call.path["upload"], owned=owned, base=call.query.base, stream=call.stream()
        )

    async def commit(self, call: Call[Any, Any]) -> wire.Upload:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        call.audit.update(owner=owned.workspace)
        return await self.artifacts.uploads.commit(call.path["upload"], owned=owned)

    async def import_archive(self, call: Call[Any, wire.ImportQuery]) -> VersionRow:
        async with self.artifacts.database.read() as session:
            owned = await self.access.writable(session, call.principal, **_name(call))
        call.audit.update(owner=owned.workspace)
        version_id = await self.artifacts.ingest.archive(
            call.principal, owned=owned, stream=call.stream(), archive_format=call.query.format
        )
        call.audit.update(object=version_id)
        async with self.artifacts.database.read() as session:
            return await session.get_one(VersionRow, version_id)

    async def delete(self, call: Call[Any, Any]) -> None:
        owned = await self.access.writable(call.session, call.principal, **_name(call))
        version = await self.artifacts.reads.find(call.session, owned=owned, number=call.path["version"])
        await self.artifacts.delete_version(call.session, version.id)
        call.audit.update(object=version.id, owner=owned.workspace)


def routes(artifacts: ArtifactService, access: Access) -> list[Route]:
    """Return the routes that change versions of `access.kind`."""
    do = _Uploads(artifacts, access)
    module = f"{access.kind}s"
    base = f"/{module}/{{workspace}}/{{name}}"
    upload = f"{base}/uploads/{{upload}}"

    def route(method: Method, path: str, summary: str, endpoint: Any, **more: Any) -> Route:
        more = {"scope": f"{module}:write", "owner": "member"} | more
        return Route(method=method, path=path, summary=summary, endpoint=endpoint, **more)

    kind = access.kind
    return [
        route(
            "POST", f"{base}/uploads", f"Begin a new version of a {kind}", do.create, response=wire.Upload, status=201
        ),
        route(
            "GET",
            f"{base}/uploads",
            "List unfinished uploads",
            do.list,
            query=wire.VersionQuery,
            response=Page[wire.Upload],
            scope=f"{module}:read",
        ),
        route(
            "GET",
            upload,
            "Get an upload, or wait for it",
            do.get,
            query=wire.UploadQuery,
            response=wire.Upload,
            session=False,
            scope=f"{module}:read",
        ),
        route("DELETE", upload, "Give up an upload", do.abort),
        route(
            "POST",
            f"{upload}/missing",
            "Ask which chunks to send",
            do.missing,
            request=wire.MissingRequest,
            response=wire.Missing,
            rate="bulk",
        ),
        route(
            "POST",
            f"{upload}/objects",
            "Ask where to put packs",
            do.targets,
            request=wire.ObjectsRequest,
            response=wire.UploadTargets,
            rate="bulk",
        ),
        route(
            "PUT",
            f"{upload}/objects/{{object}}",
            "Register what a pack holds",
            do.register,
            request=wire.PackIndex,
            max_body=16 << 20,
            session=False,
            rate="bulk",
        ),
        route(
            "PUT",
            f"{upload}/manifest",
            "Send the manifest",
            do.manifest,
            response=wire.Upload,
            upload=True,
            session=False,
        ),
        route(
            "PATCH",
            f"{upload}/manifest",
            "Send the manifest as the difference from another version",
            do.delta,
            query=wire.DeltaQuery,
            response=wire.Upload,
            upload=True,
            session=False,
        ),
        route(
            "POST", f"{upload}/commit", "Make the version", do.commit, response=wire.Upload, status=202, session=False
        ),
        route(
            "PUT",
            f"{base}/import",
            "Make a version from a zip or tar archive",
            do.import_archive,
            query=wire.ImportQuery,
            response=wire.Version,
            status=201,
            upload=True,
            session=False,
        ),
        route("DELETE", f"{base}/versions/{{version}}", f"Delete a version of a {kind}", do.delete),
    ]


def _name(call: Call[Any, Any]) -> dict[str, str]:
    return {"workspace": call.path["workspace"], "name": call.path["name"]}
