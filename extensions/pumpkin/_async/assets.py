"""Datasets, algorithms and models: named things with versions, and what is in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from os import PathLike
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx

from pumpkin import _models as models
from pumpkin._async._compat import in_thread
from pumpkin._async.transport import AsyncTransport
from pumpkin._protocol import OnProgress, Progress, Reference, given
from pumpkin.errors import PumpkinError
from pumpkin.transfer import archives, pull, push
from pumpkin.transfer import edit as edits

A = TypeVar("A", models.Dataset, models.Algorithm, models.Model)
View = Literal["all", "mine", "shared", "preset"]
Visibility = Literal["private", "everyone"]
ImportFormat = Literal["zip", "tar", "git", "file"]


class AsyncAssets(Generic[A]):
    """All of one kind. A `reference` is `name`, `name@3` or `workspace/name@3`; without a number it is the latest.

    A bare name means the caller's own, else one in another workspace of theirs, else one they may read.
    """

    def __init__(self, transport: AsyncTransport, *, kind: str, model: type[A]) -> None:
        self._transport = transport
        self._model = model
        self.kind = kind

    async def list(
        self,
        *,
        q: str | None = None,
        workspace: str | None = None,
        name: str | None = None,
        label: str | None = None,
        view: View = "all",
        limit: int | None = None,
        **filters: str,
    ) -> AsyncIterator[A]:
        """Yield what the caller may see, newest first; `q` keeps names that contain it."""
        query = {"q": q, "workspace": workspace, "name": name, "label": label, "view": view, **filters}
        async for item in self._transport.pages(self._model, f"/{self.kind}s", limit=limit, **query):
            yield item

    async def get(self, reference: str) -> A:
        """Return one by name; a version in the reference does not matter here."""
        wanted = Reference.parse(reference)
        if wanted.workspace is not None:
            return await self._transport.get(self._model, self._path(wanted.workspace, wanted.name))
        return await self._find(wanted.name)

    async def create(
        self,
        name: str,
        *,
        workspace: str | None = None,
        description: str = "",
        labels: Sequence[str] = (),
        visibility: Visibility = "private",
        **fields: str,
    ) -> A:
        """Make an empty one; `fields` are its kind's own (`type` of a dataset, `framework`, `entrypoint`)."""
        body = given(workspace=workspace) | {"name": name, "description": description, "labels": [*labels]}
        return await self._transport.post(self._model, f"/{self.kind}s", {**body, "visibility": visibility, **fields})

    async def update(self, reference: str, *, revision: int | None = None, **changes: Any) -> A:
        """Change `description`, `labels`, `visibility`, `preset` or its kind's own fields."""
        path = await self._asset(reference)
        return await self._transport.change(self._model, "PATCH", path, given(**changes), revision=revision)

    async def delete(self, reference: str) -> None:
        """Delete the version named, or without one the whole thing with all its versions."""
        path = await self._asset(reference)
        number = Reference.parse(reference).version
        await self._transport.delete(path if number is None else f"{path}/versions/{number}")

    async def share(self, reference: str, workspace: str) -> A:
        """Let a workspace read it, without a copy."""
        path = await self._asset(reference)
        return await self._transport.change(self._model, "PUT", f"{path}/shares/{quote(workspace, safe='')}")

    async def unshare(self, reference: str, workspace: str) -> A:
        """End the sharing with a workspace."""
        path = await self._asset(reference)
        return await self._transport.change(self._model, "DELETE", f"{path}/shares/{quote(workspace, safe='')}")

    async def retain(self, reference: str, *, last: int | None = None, days: int | None = None) -> A:
        """Keep the `last` versions and those younger than `days`, the others go by and by; without either keep all."""
        body = {"keep_last": last, "keep_days": days}
        return await self._transport.change(self._model, "PUT", f"{await self._asset(reference)}/retention", body)

    async def preview_retention(
        self, reference: str, *, last: int | None = None, days: int | None = None
    ) -> models.RetentionPreview:
        """Return what such a rule would remove now; nothing changes."""
        path = f"{await self._asset(reference)}/retention/preview"
        return await self._transport.get(models.RetentionPreview, path, keep_last=last, keep_days=days)

    async def resolve(self, reference: str) -> models.VersionReference:
        """Return the version a reference means."""
        return await self._transport.get(models.VersionReference, f"/{self.kind}s/resolve", reference=reference)

    async def versions(self, reference: str, *, limit: int | None = None) -> AsyncIterator[models.Version]:
        """Yield its versions, newest first."""
        path = await self._asset(reference)
        async for item in self._transport.pages(models.Version, f"{path}/versions", limit=limit):
            yield item

    async def version(self, reference: str) -> models.Version:
        """Return one version."""
        return await self._transport.get(models.Version, await self._version(reference))

    async def tree(self, reference: str, folder: str = "") -> AsyncIterator[models.TreeEntry]:
        """Yield what is directly in a folder of a version."""
        path = await self._version(reference)
        async for item in self._transport.pages(models.TreeEntry, f"{path}/tree", folder=folder or None):
            yield item

    async def stat(self, reference: str, path: str) -> models.TreeEntry:
        """Describe one file or folder of a version."""
        version = await self._version(reference)
        return await self._transport.get(models.TreeEntry, f"{version}/stat/{quote(path)}")

    async def read(self, reference: str, path: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes [start, end) of a file; all of it unless said."""
        if end is not None and end <= start:
            return b""
        version = await self._version(reference)
        wanted = None if (start, end) == (0, None) else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        response = await self._transport.request("GET", f"{version}/files/{quote(path)}", headers=wanted)
        return response.content

    @asynccontextmanager
    async def open(self, reference: str, path: str) -> AsyncGenerator[httpx.Response]:
        """Open a file for streaming: iterate over the response's bytes."""
        version = await self._version(reference)
        async with self._transport.stream("GET", f"{version}/files/{quote(path)}") as response:
            yield response

    async def diff(self, reference: str, old: int, new: int) -> models.Diff:
        """Compare two versions: the totals, and the first 500 changed paths."""
        path = await self._asset(reference)
        return await self._transport.get(models.Diff, f"{path}/diff", old=old, new=new, limit=500)

    async def push(
        self,
        source: str | PathLike[str],
        reference: str | None = None,
        *,
        exclude: Sequence[str] = (),
        on_progress: OnProgress | None = None,
        **fields: Any,
    ) -> models.VersionReference:
        """Make a new version from a folder, a file, or a zip or tar archive, making the thing itself when needed.

        Without `reference` it is called like the source. Only what the platform does not have yet is sent; after
        a break, the same call goes on where it stopped. A folder that is just as the newest version makes none:
        that one is returned. `fields` are those of `create`.
        """
        path = await in_thread(archives.examine, source)
        asset = await self._ensure(reference or archives.suggest_name(path), fields)
        where = self._path(asset.workspace, asset.name)
        work = archives.send if archives.is_archive(path) else push.push
        number = await in_thread(work, self._transport.config, where, path, exclude=exclude, on_progress=on_progress)
        return await self.resolve(f"{asset.workspace}/{asset.name}@{number}")

    async def edit(self, reference: str, changes: Mapping[str, edits.Change], **fields: Any) -> models.VersionReference:
        """Make a new version from the newest with some files other than there; the rest is neither fetched nor sent.

        `changes` maps a path to a file of this machine (`pathlib.Path`), to a file of some version as `manifest` has
        it, or to None, which removes it. The thing itself is made when needed; `fields` are those of `create`.
        """
        asset = await self._ensure(reference, fields)
        where = self._path(asset.workspace, asset.name)
        number = await in_thread(edits.change, self._transport.config, where, changes)
        return await self.resolve(f"{asset.workspace}/{asset.name}@{number}")

    async def manifest(self, reference: str) -> dict[str, edits.Line]:
        """Return the files of a version by path, each as a line of its manifest (docs/artifact-format.md)."""
        answer = await self._transport.request("GET", f"{await self._version(reference)}/manifest")
        return edits.lines(answer.content)

    async def import_from(
        self,
        reference: str,
        url: str,
        *,
        format: ImportFormat | None = None,
        ref: str = "",
        s3: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
        **fields: Any,
    ) -> models.VersionReference:
        """Let the platform fetch a new version from another server, and wait for it.

        `url` is of a zip or tar archive, of a git repository (`ref`: a branch, tag or commit of it) or, with format
        `file`, of one file that is kept as it is. Or it is `s3://bucket/prefix`, all that lies below it: then `s3` has
        the server's `endpoint` and, unless anybody may read it, `access_key` and `secret_key`, perhaps `region` and
        `session_token`; they serve this import and are forgotten. The thing itself is made when needed; `fields` are
        those of `create`. What may be fetched is the admins' to say. Broken off, this call leaves the import going: see
        `imports`.
        """
        asset = await self._ensure(reference, fields)
        made = await self.begin_import(f"{asset.workspace}/{asset.name}", url, format=format, ref=ref, s3=s3)
        where = f"{self._path(asset.workspace, asset.name)}/imports/{made.id}"
        while made.finished is None:
            if on_progress is not None:
                phase = "sending" if made.state != "unpacking" else "finishing"
                on_progress(Progress(phase=phase, done=made.fetched, total=made.total or 0, sent=made.fetched))
            made = await self._transport.get(models.Import, where, wait=1)
        if made.number is None:
            raise PumpkinError(made.error or "The import failed.", field="url", reason="import_failed")
        return await self.resolve(f"{asset.workspace}/{asset.name}@{made.number}")

    async def begin_import(
        self,
        reference: str,
        url: str,
        *,
        format: ImportFormat | None = None,
        ref: str = "",
        s3: Mapping[str, str] | None = None,
    ) -> models.Import:
        """Let the platform fetch a new version from another server; return at once, see `imports` for how it goes."""
        body = given(format=format, s3=s3) | {"url": url, "ref": ref}
        return await self._transport.post(models.Import, f"{await self._asset(reference)}/imports", body)

    async def imports(self, reference: str, *, limit: int | None = None) -> AsyncIterator[models.Import]:
        """Yield the imports from other servers, newest first."""
        path = await self._asset(reference)
        async for item in self._transport.pages(models.Import, f"{path}/imports", limit=limit):
            yield item

    async def cancel_import(self, reference: str, import_id: str) -> None:
        """Stop an import, or forget one that is over; its version stays."""
        await self._transport.delete(f"{await self._asset(reference)}/imports/{quote(import_id, safe='')}")

    async def pull(
        self, reference: str, folder: str | PathLike[str] = ".", *, on_progress: OnProgress | None = None
    ) -> models.Version:
        """Write a version's files into `folder`, verified; what is already there and right is not fetched again.

        Other files in the folder stay. After a break, the same call goes on where it stopped.
        """
        where = await self._version(reference)
        await in_thread(pull.pull, self._transport.config, where, folder, on_progress=on_progress)
        return await self._transport.get(models.Version, where)

    async def _ensure(self, reference: str, fields: dict[str, Any]) -> A:
        wanted = Reference.parse(reference)
        try:
            found = await self.get(reference)
        except PumpkinError as error:
            if error.status != 404:
                raise
        else:
            if found.may_write or wanted.workspace:
                return found
        return await self.create(wanted.name, workspace=wanted.workspace, **fields)

    async def _find(self, name: str) -> A:
        """Return what a bare name means, by the platform's own rule."""
        found = [item async for item in self.list(name=name)]
        if len(found) > 1:
            me = await self._transport.get(models.Me, "/accounts/me")
            ranks = {item.workspace: 1 for item in me.workspaces} | {me.name: 0}
            best = min(ranks.get(item.workspace, 2) for item in found)
            found = [item for item in found if ranks.get(item.workspace, 2) == best]
        if not found:
            raise PumpkinError(
                f"There is no {self.kind} '{name}' that you may use.",
                field=self.kind,
                reason="not_found",
                status=404,
            )
        if len(found) > 1:
            names = ", ".join(sorted(f"{item.workspace}/{item.name}" for item in found))
            raise PumpkinError(f"'{name}' may mean {names}: write it with the workspace.", field=self.kind, status=409)
        return found[0]

    async def _asset(self, reference: str) -> str:
        wanted = Reference.parse(reference)
        if wanted.workspace is not None:
            return self._path(wanted.workspace, wanted.name)
        asset = await self._find(wanted.name)
        return self._path(asset.workspace, asset.name)

    async def _version(self, reference: str) -> str:
        return f"{await self._asset(reference)}/versions/{Reference.parse(reference).version or 'latest'}"

    def _path(self, workspace: str, name: str) -> str:
        return f"/{self.kind}s/{quote(workspace, safe='')}/{quote(name, safe='')}"


class AsyncModels(AsyncAssets[models.Model]):
    """Models, which know where they come from."""

    async def lineage(self, reference: str) -> models.Lineage:
        """Tell which job, code, data, environment and parameters made a version."""
        return await self._transport.get(models.Lineage, f"{await self._version(reference)}/lineage")
