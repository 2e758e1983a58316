"""Reading what running workloads log: the lines of `pumpkin.log_metrics` and TensorBoard's event files.

How far a file was read is kept with the points, in the same transaction: nothing is lost or read twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.pipeline.prepare import Preparer
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.runtimes.base import Key
from pumpkin_services.workloads.records import Point, add_points
from pumpkin_services.workloads.tables import MetricSourceRow

log = logging.getLogger("pumpkin.metrics")
CHUNK = 1 << 20
LINE = 1 << 20
EVENT_FILES = "*tfevents*"
MOST_FILES = 100


@dataclass
class _Loader:
    """TensorBoard's loader of one file, and how many events it has given."""

    loader: Any
    events: int = 0


@dataclass
class _Progress:
    """How far each file of one attempt was read."""

    positions: dict[str, int]
    loaders: dict[str, _Loader] = field(default_factory=dict[str, _Loader])


@dataclass(frozen=True)
class _Batch:
    source: str
    start: int
    position: int
    points: list[Point]


class MetricReader:
    """Reads the files of attempts, as often as it is asked to."""

    def __init__(self, *, database: Database, writes: Writes, preparer: Preparer, wakeups: Wakeups) -> None:
        self._database = database
        self._writes = writes
        self._preparer = preparer
        self._wakeups = wakeups
        self._progress: dict[Key, _Progress] = {}
        self._locks: dict[Key, asyncio.Lock] = {}

    def forget(self, key: Key) -> None:
        """Close what is open of an attempt that has ended."""
        self._progress.pop(key, None)
        self._locks.pop(key, None)

    async def read(self, key: Key, *, events: bool = True) -> None:
        """Add what was logged since the last time; `events` looks through the output folder, too."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            while await self._read_some(key, events=events):
                pass

    async def _read_some(self, key: Key, *, events: bool) -> bool:
        lines = self._preparer.metrics(key)
        folder = self._preparer.output(key) if events else None
        progress = self._progress.get(key)
        if progress is None and not _anything(lines, folder):
            return False
        if progress is None:
            progress = self._progress[key] = _Progress(await self._positions(key))
        batches = await asyncio.to_thread(_collect, lines, folder, progress)
        if not batches:
            return False
        positions = await self._writes.run(lambda session: _add(session, key, batches))
        for batch in batches:
            if positions[batch.source] != batch.position:
                progress.loaders.pop(batch.source, None)  # it goes on behind what was not added
        progress.positions.update(positions)
        self._wakeups.ring(f"workload:{key.workload}")
        return True

    async def _positions(self, key: Key) -> dict[str, int]:
        async with self._database.read() as session:
            rows = await session.scalars(
                select(MetricSourceRow).where(
                    MetricSourceRow.workload == key.workload, MetricSourceRow.attempt == key.attempt
                )
            )
            return {row.source: row.position for row in rows}


def _anything(lines: Path, folder: Path | None) -> bool:
    try:
        if lines.stat().st_size:
            return True
    except OSError:
        pass
    return next(iter(_event_files(folder)), None) is not None


def _event_files(folder: Path | None) -> Iterable[Path]:
    return folder.rglob(EVENT_FILES) if folder is not None and folder.is_dir() else ()


async def _add(session: AsyncSession, key: Key, batches: list[_Batch]) -> dict[str, int]:
    """Add what goes on where its file was left; return how far each file is read now.

    Another reader may have been quicker: one whose tenure was cut off while it committed.
    """
    positions: dict[str, int] = {}
    for batch in batches:
        row = await session.get(MetricSourceRow, (key.workload, key.attempt, batch.source))
        if row is None:
            row = MetricSourceRow(workload=key.workload, attempt=key.attempt, source=batch.source, position=0)
            session.add(row)
        if row.position == batch.start:
            row.position = batch.position
            await add_points(session, workload=key.workload, attempt=key.attempt, points=batch.points)
        positions[batch.source] = row.position
    return positions


def _collect(lines: Path, folder: Path | None, progress: _Progress) -> list[_Batch]:
    batches = [_lines(lines, progress.positions.get(_name("lines"), 0))]
    for path in sorted(_event_files(folder))[:MOST_FILES]:
        # A workload may leave links to anywhere; only its own files are read.
        if folder is not None and not path.is_symlink() and path.is_file():
            batches.append(_events(path, _name(f"events/{path.relative_to(folder)}"), progress))
    return [batch for batch in batches if batch is not None]


def _lines(path: Path, position: int) -> _Batch | None:
    try:
        if path.is_symlink():
            return None
        with path.open("rb") as file:
            file.seek(position)
            data = file.read(CHUNK)
    except OSError:
        return None
    end = data.rfind(b"\n") + 1
    if not end:
        # A line without an end grows, or is too long to be one of ours.
        end = len(data) if len(data) >= LINE else 0
    if not end:
        return None
    points = [point for line in data[:end].splitlines() for point in _points(line)]
    return _Batch(_name("lines"), position, position + end, points)


def _points(line: bytes) -> list[Point]:
    """Return the points of one line; a line that is none is skipped: it was written by a stranger's code."""
    try:
        item = json.loads(line)
        step, time = int(item.get("step", 0)), float(item["time"])
        values = dict(item["values"])
        if not (abs(step) < 2**63 and 0 <= time < 253_402_300_799):
            return []
        return [
            Point(name=str(name), step=step, value=None if value is None else float(value), time=time)
            for name, value in values.items()
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return []


def _events(path: Path, source: str, progress: _Progress) -> _Batch | None:
    """Return the scalars added to one of TensorBoard's files; the position counts events."""
    known = progress.positions.get(source, 0)
    points: list[Point] = []
    count = known
    try:
        entry = progress.loaders.get(source)
        if entry is None:
            from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

            entry = progress.loaders[source] = _Loader(EventFileLoader(str(path)))
        for event in entry.loader.Load():
            entry.events += 1
            if entry.events <= known:
                continue
            count = entry.events
            points += _scalars(event)
    except Exception as error:
        # Half-written or foreign files are the workload's business, not ours.
        log.info("%s cannot be read as TensorBoard events: %s", path, error)
        progress.loaders.pop(source, None)
    return _Batch(source, known, count, points) if count > known else None


def _scalars(event: Any) -> list[Point]:
    if not event.HasField("summary"):
        return []
    from tensorboard.util import tensor_util

    points: list[Point] = []
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            number = float(value.simple_value)
        elif kind == "tensor" and value.tensor.dtype in (1, 2):
            array = cast(Any, tensor_util).make_ndarray(value.tensor)
            if array.size != 1:
                continue
            number = float(array.item())
        else:
            continue
        finite = number if math.isfinite(number) else None
        points.append(Point(name=value.tag, step=int(event.step), value=finite, time=float(event.wall_time)))
    return points


def _name(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
