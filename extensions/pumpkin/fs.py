"""The filesystem `pumpkin://` for fsspec: versions as folders, read by ranges, written as a new version.

    pandas.read_csv("pumpkin://datasets/digits@1/train.csv")

A path is `<kind>s/<name>[@version]/<path>` with an optional workspace before the name
(`datasets/vision-lab/digits@1/train.csv`); without a version it means the newest. Writing goes to the next version:
each file written makes one, with the files of the newest besides; inside one transaction
all make one together.

    with fs.transaction:
        with fs.open("pumpkin://datasets/digits/train.csv", "wb") as file:
            ...
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from fsspec.transaction import Transaction

from pumpkin._sync.client import Client
from pumpkin.errors import PumpkinError

KINDS = ("datasets", "algorithms", "models")


@dataclass(frozen=True)
class Location:
    """A parsed path: `reference` and `path` are empty for what lies above them."""

    kind: str
    reference: str
    path: str


class PumpkinFileSystem(AbstractFileSystem):
    """Datasets, algorithms and models of one platform. `url` and `token` are found as by `pumpkin.Client`."""

    protocol = "pumpkin"
    root_marker = ""
    transaction_type: Any = None

    def __init__(self, url: str | None = None, token: str | None = None, **options: Any) -> None:
        cast(Any, super()).__init__(**options)
        self.client = Client(url, token)

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
        if any(True for _ in self._assets(kind).list(name=first, limit=1)):
            return False
        mine = {item.workspace for item in self.client.whoami().workspaces}
        return first in mine or any(True for _ in self._assets(kind).list(workspace=first, limit=1))

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
            entry = self._assets(at.kind).stat(at.reference, at.path) if at.path else None
            if entry is not None and entry.type == "file":
                return [_entry(entry, shown)]
            found = self._assets(at.kind).tree(at.reference, at.path)
            return [_entry(item, f"{shown}/{item.name}") for item in found]
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
        if mode != "wb":
            raise ValueError(f"mode '{mode}' is not possible: a version is read (rb) or written anew (wb)")
        at = self._locate(path)
        if not at.path or "@" in at.reference:
            raise ValueError("write to datasets/<name>/<path>, without a version: it becomes the next one")
        if self._intrans:
            return cast(_NewVersions, self._transaction).create(at)
        alone = _NewVersions(self)
        return _OneFile(alone.path(at), alone)


class _Reader(AbstractBufferedFile):
    fs: PumpkinFileSystem
    path: str

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.fs.cat_file(self.path, start=start, end=end)


class _NewVersions(Transaction):
    """Collects what is written in folders of its own; completing it pushes each as one version."""

    def __init__(self, fs: PumpkinFileSystem, **_: Any) -> None:
        cast(Any, super()).__init__(fs)
        self.target: Any = fs
        self._folders: dict[tuple[str, str], tempfile.TemporaryDirectory[str]] = {}

    def create(self, at: Location) -> io.BufferedWriter:
        """Return a new file to write to."""
        return self.path(at).open("wb")

    def path(self, at: Location) -> Path:
        """Return where to write a file; the newest version's other files come with it."""
        key = (at.kind, at.reference)
        if key not in self._folders:
            self._folders[key] = tempfile.TemporaryDirectory(prefix="pumpkin-fs-")
            self._begin(at, self._folders[key].name)
        root = Path(self._folders[key].name).resolve()
        target = (root / at.path).resolve()
        if not target.is_relative_to(root):
            raise ValueError(f"'{at.path}' leads out of the version")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _begin(self, at: Location, folder: str) -> None:
        assets = getattr(self.target.client, at.kind)
        try:
            if assets.get(at.reference).latest is not None:
                assets.pull(at.reference, folder)
        except PumpkinError as error:
            if error.status != 404:
                raise

    def complete(self, commit: bool = True) -> None:
        """Push what was written, or forget it."""
        try:
            if commit:
                for (kind, reference), folder in self._folders.items():
                    getattr(self.target.client, kind).push(folder.name, reference)
        finally:
            for folder in self._folders.values():
                folder.cleanup()
            self._folders = {}
            self.target._intrans = False  # as fsspec itself does
            self.target._transaction = None
            self.target.invalidate_cache()


class _OneFile(io.BufferedWriter):
    """A file written outside of a transaction: closing it makes the version, an exception before that none."""

    def __init__(self, path: Path, versions: _NewVersions) -> None:
        super().__init__(io.FileIO(path, "wb"))
        self._versions = versions

    def close(self) -> None:
        """Write what is left, and push."""
        if not self.closed:
            super().close()
            self._versions.complete()

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            super().close()
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
