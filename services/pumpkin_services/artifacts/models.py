"""Wire models of versions, uploads and reads; the upload protocol itself is told in `api`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from pumpkin_services.web.paging import CursorQuery
from pumpkin_services.web.wire import Wire

MAX_OBJECT = 64 << 20
"""The largest pack or piece, in bytes."""
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


class DeltaQuery(BaseModel):
    """Says what a manifest is told as the difference from."""

    model_config = ConfigDict(extra="forbid")

    base: int = Field(ge=1, description="The number of a version of the same thing.")


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
    origin: str | None = Field(
        default=None,
        max_length=300,
        description="Origin of the page that will send them, if one does: where the store does not let that in, the "
        "targets lead to this API.",
    )
    sha256: list[Sha256] | None = Field(
        default=None,
        max_length=100,
        description="SHA-256 of each, by those who can reach the object store itself: they may be sent there.",
    )
    once: bool = Field(
        default=False,
        description="Instead of `sha256`: they may be sent to the object store itself, which takes the first body of "
        "each and refuses (412) any further one.",
    )


class UploadTarget(Wire):
    """Where one object goes: `PUT` exactly its size to `url` (relative to the origin of this API) before `expires`."""

    id: str
    url: str
    headers: dict[str, str] = Field(description="What the request must carry.")
    size: int
    expires: datetime


class UploadTargets(Wire):
    """One target for each size asked for, in that order."""

    objects: list[UploadTarget]


class Chunk(Wire):
    """A run of bytes of a file: its SHA-256 and length. An empty file has no chunks."""

    hash: Sha256
    size: int = Field(ge=1, le=MAX_OBJECT)


class FilePart(Wire):
    """Chunks of a pack that are bytes of one file from `offset` on: `chunks` of them, the first is number `first`.

    `file` is a number of the client's choice, another for each file of an upload.
    """

    file: int = Field(ge=0)
    offset: int = Field(ge=0)
    first: int = Field(ge=0, lt=MAX_CHUNKS)
    chunks: int = Field(ge=1, le=MAX_CHUNKS)


class PackIndex(Wire):
    """What an object holds: its chunks one after another from its first byte to its last.

    `parts` (which do not overlap) may tell which of them make files of several chunks; where the packs of a file are
    registered in order, the commit then need not read it again.
    """

    chunks: list[Chunk] = Field(min_length=1, max_length=MAX_CHUNKS)
    parts: list[FilePart] = Field(default_factory=list[FilePart], max_length=MAX_CHUNKS)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        end = 0
        for part in self.parts:
            if part.first < end:
                raise ValueError("parts overlap, or are out of order")
            end = part.first + part.chunks
        if end > len(self.chunks):
            raise ValueError("parts name chunks that are not there")
        return self


class ManifestLine(Wire):
    """One file, one line of a manifest. `mode` is 420 (0644) or 493 (0755); `sha256` is of the whole file."""

    path: str
    size: int = Field(ge=0)
    mode: Literal[420, 493] = 420
    sha256: Sha256
    chunks: list[Chunk]


class RemovedLine(Wire):
    """A file another version has and this one has not: a line of a manifest sent as a difference."""

    path: str
    removed: Literal[True]


class ImportQuery(BaseModel):
    """How the body of an import is packed."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["zip", "tar"] = Field(description="`tar` may be compressed with gzip, bzip2, xz or zstd.")


ImportFormat = Literal["zip", "tar", "git", "file", "s3"]


class S3Access(Wire):
    """How an S3 server elsewhere is reached, for one import; what is secret is forgotten when that is over."""

    endpoint: str = Field(max_length=500, description="The server's address, such as `https://s3.example.org`.")
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,63}$", description="Many servers do not mind.")
    access_key: SecretStr = Field(default=SecretStr(""), max_length=300, description="Empty: what anybody may read.")
    secret_key: SecretStr = Field(default=SecretStr(""), max_length=300)
    session_token: SecretStr = Field(default=SecretStr(""), max_length=4000, description="Of a temporary key.")


class ImportRequest(Wire):
    """Asks the platform to fetch a version from another server."""

    url: str = Field(
        max_length=2000,
        description="http or https; of git, where it is cloned from by smart HTTP; or `s3://bucket/prefix`: all that "
        "lies below it.",
    )
    format: ImportFormat | None = Field(
        default=None, description="Told by the URL's name unless given. `file` keeps the one file as it is."
    )
    ref: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._/@-]{0,199})?$",
        description="Of git: a branch, tag or whole commit; the newest of the main branch unless given.",
    )
    s3: S3Access | None = Field(default=None, description="Of `s3://`: where that is, and the key.")


class Import(Wire):
    """A version on its way from another server. When `state` is `ready`, `number` is its version.

    `fetched` and `total` are bytes, of the archive while it is unpacked; `total` is null when the server does not tell.
    `commit` is what `ref` meant.
    """

    id: str
    state: Literal["waiting", "fetching", "unpacking", "ready", "failed"]
    url: str = Field(description="Without its query, which may hold a secret.")
    format: ImportFormat
    ref: str
    commit: str | None
    fetched: int
    total: int | None
    number: int | None
    error: str | None
    creator: str
    created: datetime
    finished: datetime | None


class ImportWaitQuery(BaseModel):
    """Asks for an import, at once or when it ends."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(default=0, ge=0, le=30, description="Seconds to wait for the end.")


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
