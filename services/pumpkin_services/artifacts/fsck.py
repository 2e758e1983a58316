"""Proof that the store is whole: `python -m pumpkin_services.artifacts.fsck --data DIR [--repair]`.

Every object is read and every chunk hashed; every ready version's manifest must hash to its identity and
find each chunk in an object the version refers to, and what it counts must be so. Ends with 0 if the store is
whole, 1 if it is damaged; what `repair` can mend is mended before the versions are looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import exists, func, select
from traitlets.config.loader import Config, PyFileConfigLoader

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.chunks import groups
from pumpkin_services.artifacts.repair import Bad, Mender
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import Database
from pumpkin_services.problems import Problem
from pumpkin_services.storage.base import ObjectMissing, ObjectStore
from pumpkin_services.storage.choose import choose_store

NAMED = 5
"""How many of the files a damage hurts are named."""
Progress = Callable[[str, int, int], None]
"""Called with what is checked, how many are done and how many there are."""


@dataclass(kw_only=True)
class Report:
    """What a check found. Orphans are no damage: the collector takes them."""

    versions: int = 0
    files: int = 0
    objects: int = 0
    chunks: int = 0
    bytes: int = 0
    orphan_objects: int = 0
    stray_files: int = 0
    stray_bytes: int = 0
    damage: list[str] = field(default_factory=list[str])
    repaired: list[str] = field(default_factory=list[str])

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damage


def _silent(what: str, done: int, total: int) -> None:
    pass


async def check_store(
    database: Database, store: ObjectStore, *, progress: Progress = _silent, repair: bool = False
) -> Report:
    """Check every object and every ready version; uploads going on meanwhile are passed over."""
    report = Report()
    faults, bad = await _check_objects(database, store, report, progress)
    if repair:
        mender = Mender(database=database, store=store, bad=bad)
        await mender.run()
        report.repaired = mender.done
    report.damage += [f"object {kind}/{key}: {fault}" for (kind, key), fault in faults.items() if key in bad]
    await _check_versions(database, store, report, progress, bad=bad)
    await _count_orphans(database, store, report)
    return report


async def _check_objects(
    database: Database, store: ObjectStore, report: Report, progress: Progress
) -> tuple[dict[tuple[str, str], str], Bad]:
    """Return what is wrong with which object, and which of their chunks cannot be read."""
    faults: dict[tuple[str, str], str] = {}
    bad: Bad = {}
    async with database.read() as session:
        ids = list(await session.scalars(select(ObjectRow.id).where(ObjectRow.registered).order_by(ObjectRow.id)))
    for number, object_id in enumerate(ids):
        progress("objects", number, len(ids))
        async with database.read() as session:
            row = await session.get(ObjectRow, object_id)
            if row is None:  # collected meanwhile
                continue
            query = select(ChunkRow.hash, ChunkRow.offset, ChunkRow.size).where(ChunkRow.object_id == object_id)
            chunks = [(digest, offset, size) for digest, offset, size in await session.execute(query)]
        fault, lost = await asyncio.to_thread(_object_fault, store, row, chunks)
        if fault and await _gone(database, object_id):
            continue
        report.objects += 1
        report.chunks += len(chunks)
        report.bytes += row.size
        if fault:
            faults[row.kind, row.id] = fault
            bad[row.id] = lost
    progress("objects", len(ids), len(ids))
    return faults, bad


async def _gone(database: Database, object_id: str) -> bool:
    """Tell whether the collector took an object while it was read."""
    async with database.read() as session:
        return await session.get(ObjectRow, object_id) is None


def _object_fault(
    store: ObjectStore, row: ObjectRow, chunks: list[tuple[str, int, int]]
) -> tuple[str | None, set[str]]:
    """Say what is wrong with an object, and which of its chunks cannot be read."""
    found = store.stat(row.key)
    if found is None:
        return "is not in the store", {digest for digest, _, _ in chunks}
    fault = None if found.size == row.size else f"has {found.size} bytes instead of {row.size}"
    lost: set[str] = set()
    for digest, offset, size in sorted(chunks, key=lambda chunk: chunk[1]):
        seen = hashlib.sha256()
        wrong = None
        try:
            for piece in store.stream(row.key, offset=offset, size=size):
                seen.update(piece)
        except (ObjectMissing, OSError) as error:
            wrong = f"cannot be read at byte {offset}: {error}"
        if wrong is None and seen.hexdigest() != digest:
            wrong = f"the chunk at byte {offset} is not what its hash names ({digest})"
        if wrong is not None:
            lost.add(digest)
            fault = fault or wrong
    return fault, lost


async def _check_versions(
    database: Database, store: ObjectStore, report: Report, progress: Progress, *, bad: Bad
) -> None:
    async with database.read() as session:
        query = select(VersionRow.id).where(VersionRow.state == "ready").order_by(VersionRow.id)
        ids = list(await session.scalars(query))
    for number, version_id in enumerate(ids):
        progress("versions", number, len(ids))
        async with database.read() as session:
            row = await session.get(VersionRow, version_id)
            query = (
                select(ChunkRow.object_id, ChunkRow.hash, ChunkRow.size, VersionObjectRow.used)
                .join(VersionObjectRow, VersionObjectRow.object_id == ChunkRow.object_id)
                .where(VersionObjectRow.version_id == version_id)
            )
            chunks: dict[str, int] = {}
            counts: dict[str, tuple[set[str], int]] = {}
            for object_id, digest, size, used in await session.execute(query):
                if digest not in bad.get(object_id, ()):
                    chunks[digest] = size
                if used is not None:
                    counts.setdefault(object_id, (set(), used))[0].add(digest)
        if row is None or row.state != "ready":
            continue
        fault = await asyncio.to_thread(_version_fault, store, row, chunks, counts)
        report.versions += 1
        report.files += row.files
        if fault:
            report.damage.append(f"version {row.id} (number {row.number} of {row.kind} {row.asset_id}): {fault}")
    progress("versions", len(ids), len(ids))


def _version_fault(
    store: ObjectStore, row: VersionRow, chunks: dict[str, int], counts: dict[str, tuple[set[str], int]]
) -> str | None:
    identity, files, total = hashlib.sha256(), 0, 0
    hurt: list[str] = []
    wanted: set[str] = set()
    try:
        for entry in manifests.read(store.stream(f"manifests/{row.manifest_id}")):
            identity.update(manifests.encode(entry))
            files += 1
            total += entry.size
            wanted.update(digest for digest, _ in entry.chunks)
            if any(chunks.get(digest) != size for digest, size in entry.chunks):
                hurt.append(manifests.shown(entry.path))
    except (ObjectMissing, Problem, ValueError, KeyError, OSError) as error:
        return f"its manifest cannot be read: {error}"
    if hurt:
        more = f" and {len(hurt) - NAMED} more" if len(hurt) > NAMED else ""
        return f"no object it holds can give back what is in {', '.join(map(repr, hurt[:NAMED]))}{more}"
    if identity.hexdigest() != row.manifest_hash:
        return "its manifest is not what its hash names"
    if (files, total) != (row.files, row.bytes):
        return f"has {files} files of {total} bytes instead of {row.files} of {row.bytes}"
    for object_id, (digests, used) in counts.items():
        if len(digests & wanted) != used:
            return f"says it uses {used} chunks of packs/{object_id}, but uses {len(digests & wanted)}"
    return None


async def _count_orphans(database: Database, store: ObjectStore, report: Report) -> None:
    referred = exists().where(VersionObjectRow.object_id == ObjectRow.id)
    async with database.read() as session:
        report.orphan_objects = await session.scalar(select(func.count()).where(~referred).select_from(ObjectRow)) or 0
    listed = groups(store.list(), 500)
    while group := await asyncio.to_thread(next, listed, None):
        found = {stored.key.split("/")[1]: stored for stored in group}
        async with database.read() as session:
            known = set(await session.scalars(select(ObjectRow.id).where(ObjectRow.id.in_(found))))
        strays = [found[name] for name in found.keys() - known]
        report.stray_files += len(strays)
        report.stray_bytes += sum(stray.size for stray in strays)


def main(arguments: list[str] | None = None) -> int:
    """Check the store of a data folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="pumpkin fsck", description="Prove the store whole.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--database-url", default="", help="the database, unless it is in the data folder")
    parser.add_argument("--config", type=Path, help="the configuration file, unless it is in the data folder")
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    if not options.database_url and not (options.data / "platform.sqlite").exists():
        parser.error(f"{options.data} is no data folder: it has no platform.sqlite")
    config = options.config or options.data / "pumpkin_config.py"
    report = asyncio.run(_run(options.data, options.database_url, config=config, options=options))
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        _print(report)
    return 0 if report.whole else 1


async def _run(data: Path, database_url: str, *, config: Path, options: argparse.Namespace) -> Report:
    database = Database(database_url or f"sqlite+aiosqlite:///{data}/platform.sqlite")
    store = choose_store(_config(config), folder=data / "objects", base_url="", secret=b"")
    try:
        progress = _silent if options.json else _show
        return await check_store(database, store, progress=progress, repair=options.repair)
    finally:
        await database.close()


def _config(file: Path) -> Config:
    return PyFileConfigLoader(file.name, path=str(file.parent.resolve())).load_config() if file.exists() else Config()


def _show(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _print(report: Report) -> None:
    print(f"{report.versions} versions with {report.files} files; {report.objects} objects, {report.chunks} chunks,")
    print(f"{report.bytes} bytes read and hashed. Not referred to: {report.orphan_objects} objects,")
    print(f"{report.stray_files} stray files ({report.stray_bytes} bytes); the collector takes them.")
    for line in report.repaired:
        print(f"REPAIRED {line}")
    for line in report.damage:
        print(f"DAMAGED {line}")
    print("The store is whole." if report.whole else f"The store is damaged in {len(report.damage)} places.")


if __name__ == "__main__":
    sys.exit(main())
