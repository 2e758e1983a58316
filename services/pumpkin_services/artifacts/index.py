"""A small SQLite file per manifest, made on first use: folders and files are then found without reading it all.

It holds nothing that is not in the manifest and may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.models import TreeEntry
from pumpkin_services.db import new_id
from pumpkin_services.storage.base import storage_problems

KEPT = 256
"""How many indexes are kept, by last use."""
_COLUMNS = "name, path, bytes, files, mode, sha256"


class Index:
    """One manifest's folders and files; every method blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def folder(self, path: str, *, after: str | None, limit: int) -> list[TreeEntry]:
        """Return up to `limit` entries of a folder, by name, behind `after`."""
        query = f"SELECT {_COLUMNS} FROM nodes WHERE folder = ? AND name > ? ORDER BY name LIMIT ?"
        return [_tree_entry(row) for row in self._rows(query, (path, after or "", limit))]

    def stat(self, path: str) -> TreeEntry | None:
        """Describe a file or folder; None if there is none."""
        folder, _, name = path.rpartition("/")
        rows = self._rows(f"SELECT {_COLUMNS} FROM nodes WHERE folder = ? AND name = ?", (folder, name))
        return _tree_entry(rows[0]) if rows else None

    def file(self, path: str) -> Entry | None:
        """Return a file; None if there is none."""
        folder, _, name = path.rpartition("/")
        query = "SELECT bytes, mode, sha256, chunks FROM nodes WHERE folder = ? AND name = ? AND mode IS NOT NULL"
        for size, mode, sha256, chunks in self._rows(query, (folder, name)):
            parts = tuple((digest, length) for digest, length in json.loads(chunks))
            return Entry(path, int(size), int(mode), sha256, parts)
        return None


def _tree_entry(row: tuple[Any, ...]) -> TreeEntry:
    name, path, size, files, mode, sha256 = row
    kind = "folder" if mode is None else "file"
    return TreeEntry.model_validate(
        {"name": name, "path": path, "type": kind, "bytes": size, "files": files, "mode": mode, "sha256": sha256}
    )


class Indexes:
    """The indexes of one node, in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, manifest_hash: str, entries: Callable[[], Iterable[Entry]]) -> Index:
        """Return the index of a manifest, made from `entries()` if it is not there. Blocks."""
        path = self._root / manifest_hash
        try:
            os.utime(path)
        except FileNotFoundError:
            self._build(path, entries())
        return Index(path)

    def _build(self, path: Path, entries: Iterable[Entry]) -> None:
        partial = self._root / f"tmp-{new_id()}"
        with storage_problems():
            self._root.mkdir(parents=True, exist_ok=True)
            try:
                with closing(sqlite3.connect(partial)) as database:
                    database.execute("PRAGMA journal_mode=OFF")
                    database.execute("PRAGMA synchronous=OFF")
                    database.execute(
                        "CREATE TABLE nodes (folder TEXT, name TEXT, path TEXT, bytes INTEGER, files INTEGER, "
                        "mode INTEGER, sha256 TEXT, chunks TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID"
                    )
                    database.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _nodes(entries))
                    database.commit()
                with open(partial, "rb") as file:
                    os.fsync(file.fileno())
                os.rename(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        self._trim()

    def _trim(self) -> None:
        found: list[tuple[float, Path]] = []
        for path in self._root.iterdir():
            with suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path))
        for _, path in sorted(found, reverse=True)[KEPT:]:
            path.unlink(missing_ok=True)


def _nodes(entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        yield folder, name, entry.path, entry.size, 1, entry.mode, entry.sha256, json.dumps(entry.chunks)
        while folder:
            totals[folder][0] += entry.size
            totals[folder][1] += 1
            folder = folder.rpartition("/")[0]
    for path, (size, files) in totals.items():
        folder, _, name = path.rpartition("/")
        yield folder, name, path, size, files, None, None, None
