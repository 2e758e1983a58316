"""The filesystem `pumpkin://` for fsspec: versions as folders, read by ranges, changed by a new version.

    pandas.read_csv("pumpkin://datasets/digits@1/train.csv")

A path is `<kind>s/<name>[@version]/<path>` with an optional workspace before the name
(`datasets/vision-lab/digits@1/train.csv`); without a version it means the newest. Writing, copying and removing make
the next version, with the other files of the newest as they are: each call makes one, inside one transaction all make
one together, visible at its end. Folders are what files lie in: an empty one does not exist.

    with fs.transaction:
        with fs.open("pumpkin://datasets/digits/train.csv", "wb") as file:
            ...
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from fsspec.transaction import Transaction

from pumpkin._sync.client import Client
from pumpkin.errors import PumpkinError
from pumpkin.transfer.edit import Change, Line

KINDS = ("datasets", "algorithms", "models")


@dataclass(frozen=True)
class Location:
    """A parsed path: `reference` and `path` are empty for what lies above them."""

    kind: str
    reference: str
    path: str


class PumpkinFileSystem(AbstractFileSystem):
    """Datasets, algorithms and models of one platform. `url` and `token` are found as by `pumpkin.Client`.

    `endpoint` is another name of `url`, for `storage_options` of functions whose own argument has that name.
    """

    protocol = "pumpkin"
    root_marker = ""
    transaction_type: Any = None

    def __init__(
        self, url: str | None = None, token: str | None = None, *, endpoint: str | None = None, **options: Any
    ) -> None:
        cast(Any, super()).__init__(**options)
        self.client = Client(url or endpoint, token)
        self._workspaces: set[tuple[str, str]] = set()

    def _locate(self, path: str) -> Location:
        kind, _, rest = _bare(path).partition("/")
        if kind not in (*KINDS, ""):
            raise FileNotFoundError(f"'{path}': a path begins with datasets/, algorithms/ or models/")
        first, _, rest = rest.partition("/")
        if first and "@" not in first and rest:
            second, _, deeper = rest.partition("/")
            if "@" in second or self._is_workspace(kind, first):
                return Location(kind, f"{first}/{second}", deeper)
        return Location(kind, first, rest)

    def _is_workspace(self, kind: str, first: str) -> bool:
        """Tell what `a` means in `datasets/a/b`: a name if there is one, else a workspace if there is one."""
        if (kind, first) in self._workspaces:
            return True
        if any(True for _ in self._assets(kind).list(name=first, limit=1)):
            return False
        mine = {item.workspace for item in self.client.whoami().workspaces}
        if first not in mine and not any(True for _ in self._assets(kind).list(workspace=first, limit=1)):
            return False
        self._workspaces.add((kind, first))
        return True

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget which words were found to be workspaces; nothing else is remembered."""
        self._workspaces.clear()

    def _assets(self, kind: str) -> Any:
        return getattr(self.client, kind)

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """List a folder; above the versions, the kinds and the things there are."""
        found = self._listing(self._locate(path), _bare(path))
        return found if detail else sorted(entry["name"] for entry in found)

    def _listing(self, at: Location, shown: str) -> list[dict[str, Any]]:
        if not at.kind:
            return [_folder(kind) for kind in KINDS]
        if not at.reference:
            return [_folder(f"{at.kind}/{item.workspace}/{item.name}") for item in self._assets(at.kind).list()]
        try:
            found = [_entry(item, f"{shown}/{item.name}") for item in self._assets(at.kind).tree(at.reference, at.path)]
            if found or not at.path:
                return found
            return [_entry(self._assets(at.kind).stat(at.reference, at.path), shown)]
        except PumpkinError as error:
            raise _translated(error, shown) from error

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Describe one file or folder."""
        at, shown = self._locate(path), _bare(path)
        try:
            if not at.path:
                if at.reference:
                    self._assets(at.kind).get(at.reference)
                return _folder(shown)
            return _entry(self._assets(at.kind).stat(at.reference, at.path), shown)
        except PumpkinError as error:
            raise _translated(error, shown) from error

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **options: Any
    ) -> Any:
        """List all files below a folder, by one request for the version's manifest unless `maxdepth` is given."""
        at, shown = self._locate(path), _bare(path)
        if not at.reference or maxdepth is not None:
            return cast(Any, super()).find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **options)
        found: dict[str, dict[str, Any]] = {}
        top = f"{at.path}/" if at.path else ""
        for name, line in self._lines(at).items():
            if name != at.path and not name.startswith(top):
                continue
            parts = name[len(top) :].split("/")
            for depth in range(len(parts) if withdirs and name != at.path else 0):
                folder = "/".join((shown, *parts[:depth]))
                found.setdefault(folder, _folder(folder))
            full = shown if name == at.path else f"{shown}/{name[len(top) :]}"
            found[full] = {"name": full, "size": line["size"], "type": "file", "sha256": line["sha256"]}
        return dict(sorted(found.items())) if detail else sorted(found)

    def _lines(self, at: Location) -> dict[str, Line]:
        try:
            return self._assets(at.kind).manifest(at.reference)
        except PumpkinError as error:
            if error.status == 404:
                return {}
            raise _translated(error, at.reference) from error

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """Return a file's bytes, or a range of them (negative offsets count from the end)."""
        at = self._locate(path)
        if (start or 0) < 0 or (end or 0) < 0:
            size = self.info(path)["size"]
            start = max(size + start, 0) if start and start < 0 else start
            end = size + end if end and end < 0 else end
        try:
            return self._assets(at.kind).read(at.reference, at.path, start=start or 0, end=end)
        except PumpkinError as error:
            if error.status == 416:
                return b""
            raise _translated(error, path) from error

    def created(self, path: str) -> Any:
        """Return when the version was committed."""
        at = self._locate(path)
        return self._assets(at.kind).version(at.reference).committed

    def _open(  # pyright: ignore[reportIncompatibleMethodOverride]  (fsspec always calls it by these names)
        self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any
    ) -> Any:
        options.pop("autocommit", None)
        if mode == "rb":
            return _Reader(self, path, mode, cast(Any, block_size or 4 << 20), **options)
        if mode not in ("wb", "xb"):
            raise ValueError(f"mode '{mode}' is not possible: a file is read (rb) or written anew (wb, xb)")
        if mode == "xb" and self._type(path) is not None:
            raise FileExistsError(path)
        at = self._writable(path)
        if self._intrans:
            return _Writing(cast(_NewVersions, self._transaction), at)
        return _Writing(_NewVersions(self), at, alone=True)

    def _writable(self, path: str) -> Location:
        at = self._locate(path)
        if not at.path or "@" in at.reference:
            raise ValueError(f"'{path}': change datasets/<name>/<path>, without a version: it becomes the next one")
        return at

    def _type(self, path: str) -> str | None:
        try:
            return self.info(path)["type"]
        except FileNotFoundError:
            return None

    @contextmanager
    def _one_version(self) -> Generator[_NewVersions]:
        """Let whatever the block changes make one version."""
        if self._intrans:
            yield cast(_NewVersions, self._transaction)
            return
        with cast(Any, self.transaction) as versions:
            yield versions

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Do nothing: a folder is there once a file is in it."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Do nothing: a folder is there once a file is in it."""

    def rmdir(self, path: str) -> None:
        """Do nothing: a folder goes with the last file in it."""

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        """Copy a file; nothing of it is fetched or sent."""
        source = self._locate(path1)
        with self._one_version() as versions:
            line = versions.lines(source).get(source.path)
            if line is not None:
                versions.change(self._writable(path2), line)
            elif self._type(path1) is None:
                raise FileNotFoundError(path1)

    def copy(self, path1: Any, path2: Any, recursive: bool = False, *arguments: Any, **options: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Copy files and folders, as one new version."""
        with self._one_version():
            cast(Any, super()).copy(path1, path2, recursive, *arguments, **options)

    def put(self, lpath: Any, rpath: Any, recursive: bool = False, *arguments: Any, **options: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Copy local files and folders here, as one new version."""
        with self._one_version():
            cast(Any, super()).put(lpath, rpath, recursive, *arguments, **options)

    def pipe(self, path: Any, value: bytes | None = None, **options: Any) -> None:
        """Write bytes, also of several files, as one new version."""
        with self._one_version():
            cast(Any, super()).pipe(path, value, **options)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **options: Any) -> None:
        """Move files, as one new version."""
        with self._one_version():
            cast(Any, super()).mv(path1, path2, recursive=recursive, maxdepth=maxdepth, **options)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and folders if `recursive`, by one new version without them."""
        found: list[str] = cast(Any, self).expand_path(path, recursive=recursive, maxdepth=maxdepth)
        with self._one_version() as versions:
            for name in found:
                at = self._writable(name)
                if at.path in versions.lines(at):
                    versions.change(at, None)
                elif not recursive:
                    raise IsADirectoryError(f"'{name}' is a folder: remove it with recursive=True")

    def rm_file(self, path: str) -> None:
        """Remove one file."""
        self.rm(path)


class _Reader(AbstractBufferedFile):
    fs: PumpkinFileSystem
    path: str

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.fs.cat_file(self.path, start=start, end=end)


class _NewVersions(Transaction):
    """Collects what changes; completing it makes one version of each thing that changed."""

    def __init__(self, fs: PumpkinFileSystem, **_: Any) -> None:
        cast(Any, super()).__init__(fs)
        self.target: Any = fs
        self._changes: dict[tuple[str, str], dict[str, Change]] = {}
        self._sources: dict[tuple[str, str], dict[str, Line]] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._written = 0

    def new_file(self) -> Path:
        """Return where to write a file until it is sent."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="pumpkin-fs-")
        self._written += 1
        return Path(self._folder.name, str(self._written))

    def change(self, at: Location, what: Change) -> None:
        """Note what a path becomes."""
        self._changes.setdefault((at.kind, at.reference), {})[at.path] = what

    def lines(self, at: Location) -> dict[str, Line]:
        """Return the files of a version to copy from."""
        key = (at.kind, at.reference)
        if key not in self._sources:
            self._sources[key] = self.target._lines(at)
        return self._sources[key]

    def complete(self, commit: bool = True) -> None:
        """Make the versions, or forget what changed."""
        try:
            for (kind, reference), changes in self._changes.items() if commit else ():
                try:
                    getattr(self.target.client, kind).edit(reference, changes)
                except PumpkinError as error:
                    raise _translated(error, reference) from error
        finally:
            self._changes, self._sources = {}, {}
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
            self.target._intrans = False  # as fsspec itself does
            self.target._transaction = None


class _Writing(io.BufferedWriter):
    """A file being written: closed, it belongs to the next version; an exception before that leaves it out.

    `alone`, outside of a transaction, closing it makes that version.
    """

    def __init__(self, versions: _NewVersions, at: Location, *, alone: bool = False) -> None:
        self._path = versions.new_file()
        super().__init__(io.FileIO(self._path, "wb"))
        self._versions, self._at, self._alone = versions, at, alone

    def close(self) -> None:
        """Write what is left, and make or change the version."""
        if not self.closed:
            super().close()
            self._versions.change(self._at, self._path)
            if self._alone:
                self._versions.complete()

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            super().close()
            if self._alone:
                self._versions.complete(commit=False)
        self.close()


PumpkinFileSystem.transaction_type = _NewVersions


def _bare(path: str) -> str:
    return path.removeprefix("pumpkin://").strip("/")


def _folder(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}


def _entry(entry: Any, name: str) -> dict[str, Any]:
    kind = "file" if entry.type == "file" else "directory"
    return {"name": name, "size": entry.bytes if kind == "file" else 0, "type": kind, "sha256": entry.sha256}


def _translated(error: PumpkinError, path: str) -> Exception:
    if error.status == 404:
        return FileNotFoundError(f"{path}: {error}")
    return PermissionError(str(error)) if error.status in (401, 403) else error
