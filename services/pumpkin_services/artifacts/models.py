"""Wire models of versions, uploads and reads; the upload protocol itself is told in `api`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pumpkin_services.web.paging import CursorQuery
from pumpkin_services.web.wire import Wire

MAX_OBJECT = 64 << 20
"""The largest pack or piece, in bytes."""
CUT = 16 << 20
"""Where files are cut, in bytes: at every multiple. Clients who cut alike send nothing twice."""
MAX_CHUNKS = 1 << 16
"""The most chunks one pack may hold."""
BATCH = 10_000
"""The most hashes one question about missing chunks may name."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
VersionState = Literal["uploading", "verifying", "ready", "failed", "deleted"]


class Version(Wire):
    """One version. `number` is null until it is ready; `manifest_hash` is its identity by content."""

    id: str
    number: int | None
    state: VersionState
    files: int
    bytes: int
    manifest_hash: str | None
    creator: str
    created: datetime
    committed: datetime | None


class Upload(Wire):
    """A version on its way. When `state` is `ready`, `number` is its version; when `failed`, `error` says why."""

    id: str
    state: VersionState
    number: int | None
    creator: str
    created: datetime
    manifest_received: bool
    files: int
    bytes: int
    verified_bytes: int = Field(description="How much of `bytes` the server has verified so far.")
    error: str | None = None


class UploadQuery(BaseModel):
    """Asks for an upload, at once or when it changes."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(default=0, ge=0, le=30, description="Seconds to wait for the end of the verification.")


class MissingRequest(Wire):
    """Asks which of these chunks must be sent."""

    hashes: list[Sha256] = Field(max_length=BATCH, description="SHA-256 of chunks, hexadecimal.")


class Missing(Wire):
    """The chunks to send; the others are held for this upload until it ends."""

    missing: list[str]


class ObjectsRequest(Wire):
    """Asks for places to put packs and pieces."""

    sizes: list[Annotated[int, Field(ge=1, le=MAX_OBJECT)]] = Field(
        min_length=1, max_length=100, description="Bytes of each object that will be sent."
    )


class UploadTarget(Wire):
    """Where one object goes: `PUT` exactly its size to `url` (relative to the origin of this API) before `expires`."""

    id: str
    url: str
    size: int
    expires: datetime


class UploadTargets(Wire):
    """One target for each size asked for, in that order."""

    objects: list[UploadTarget]


class Chunk(Wire):
    """A run of bytes of a file: its SHA-256 and length. An empty file has no chunks."""

    hash: Sha256
    size: int = Field(ge=1, le=MAX_OBJECT)


class PackIndex(Wire):
    """What an object holds: its chunks one after another from its first byte to its last."""

    chunks: list[Chunk] = Field(min_length=1, max_length=MAX_CHUNKS)


class ManifestLine(Wire):
    """One file, one line of a manifest. `mode` is 420 (0644) or 493 (0755); `sha256` is of the whole file."""

    path: str
    size: int = Field(ge=0)
    mode: Literal[420, 493] = 420
    sha256: Sha256
    chunks: list[Chunk]


class ImportQuery(BaseModel):
    """How the body of an import is packed."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["zip", "tar"] = Field(description="`tar` may be compressed with gzip, bzip2 or xz.")


class VersionQuery(CursorQuery):
    """A page of versions, newest first."""


class TreeQuery(VersionQuery):
    """A page of one folder, by name."""

    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before.")
    folder: str = Field(default="", max_length=4096, description="The folder's path; empty for the top.")


class TreeEntry(Wire):
    """A file or folder. Of a folder, `bytes` and `files` count everything below it."""

    name: str
    path: str
    type: Literal["file", "folder"]
    bytes: int
    files: int
    mode: int | None = None
    sha256: str | None = None


class ArchiveQuery(BaseModel):
    """What to pack, and how."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["tar", "zip"] = Field(default="tar", description="The kind of archive.")
    folder: str = Field(default="", max_length=4096, description="Only this folder; empty for everything.")


class ReadChunk(Wire):
    """Where a chunk lies inside its object."""

    hash: str
    offset: int
    size: int


class ReadObject(Wire):
    """An object a version is made of: `GET` it (ranges allowed) from `url` before `expires`."""

    id: str
    url: str
    size: int
    expires: datetime
    chunks: list[ReadChunk]


class DiffQuery(VersionQuery):
    """The two versions to compare."""

    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before.")
    old: int = Field(ge=1, description="The number of the earlier version.")
    new: int = Field(ge=1, description="The number of the later version.")


class Change(Wire):
    """One path that differs; sizes in bytes, null where the file is not."""

    path: str
    change: Literal["added", "removed", "changed"]
    old_bytes: int | None
    new_bytes: int | None


class Diff(Wire):
    """A page of changes by path, and the totals over all of them."""

    added: int
    removed: int
    changed: int
    added_bytes: int
    removed_bytes: int
    items: list[Change]
    next: str | None = None
