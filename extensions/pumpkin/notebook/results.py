"""Sending what becomes of cells: the newest state of each, a few times a second, until the platform has taken it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from pumpkin.notebook.outputs import MOST, NOTE, dump
from pumpkin.notebook.platform import Platform, Refused, Unreachable

PAUSE = 0.25
"""Seconds between two requests at least."""
RATE = 2 << 20
"""Bytes a second: large outputs are sent whole each time they grow, so less often."""
PATIENCE = 900.0
"""Seconds after the last cell for which a platform that does not answer is asked again."""
MAX_DELAY = 5.0


class Cell:
    """One cell to run, and how it stands. `document` is the notebook's own, whose outputs grow."""

    def __init__(self, document: dict[str, Any], *, position: int) -> None:
        self.document = document
        self.position = position
        self.state = "waiting"
        self.started: str | None = None
        self.finished: str | None = None

    def begin(self) -> None:
        """It runs from now on."""
        self.state, self.started = "running", _now()

    def end(self, state: str) -> None:
        """It is done, failed or skipped."""
        self.state = state
        self.finished = _now() if self.started else None

    def update(self, sequence: int) -> str:
        """Return its present state as JSON."""
        fields = {
            "cell": self.document["id"],
            "sequence": sequence,
            "state": self.state,
            "execution_count": self.document.get("execution_count"),
            "started": self.started,
            "finished": self.finished,
        }
        return f'{json.dumps(fields)[:-1]},"outputs":{dump(self.document["outputs"])}}}'


class Results:
    """What is to be sent. `changed` is called for every change and costs nothing; `work` sends."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._changed: dict[str, Cell] = {}
        self._wanted = asyncio.Event()
        self._sequence = 0
        self._closing: float | None = None
        self._refused = False

    def changed(self, *cells: Cell) -> None:
        """Have the present state of cells sent soon."""
        self._changed.update({cell.document["id"]: cell for cell in cells})
        self._wanted.set()

    def close(self, *, patience: float = PATIENCE) -> None:
        """Have `work` return once everything is sent, or after `patience` seconds; may be called again with less."""
        self._closing = time.monotonic() + patience
        self._wanted.set()

    async def work(self) -> bool:
        """Send until closed; tell whether the platform has everything."""
        failures = 0
        while not self._refused:
            if not self._changed:
                if self._closing is not None:
                    return True
                self._wanted.clear()
                await self._wanted.wait()
                continue
            size = await self._send()
            failures = 0 if size else failures + 1
            if self._closing is not None and time.monotonic() > self._closing:
                break
            pause = PAUSE * 2**failures if failures else max(PAUSE, size / RATE)
            await self._rest(min(pause, MAX_DELAY))
        return not self._changed and not self._refused

    async def _rest(self, seconds: float) -> None:
        """Wait, but not for a good while when there is nothing more to come."""
        if self._closing is None or self._closing - time.monotonic() > seconds > PAUSE:
            await asyncio.sleep(seconds)

    async def _send(self) -> int:
        """Send some of what changed; return its bytes, 0 when the platform did not answer."""
        taken: list[Cell] = []
        parts: list[bytes] = []
        while self._changed and sum(map(len, parts)) < MOST:
            cell = self._changed.pop(next(iter(self._changed)))
            self._sequence += 1
            part = cell.update(self._sequence).encode()
            if parts and sum(map(len, parts)) + len(part) > MOST:
                self.changed(cell)
                break
            taken.append(cell)
            parts.append(part)
        body = b'{"cells":[' + b",".join(parts) + b"]}"
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._platform.post, "/cells", body)
        except Unreachable:
            self._again(taken)
            return 0
        except Refused as error:
            self._without(taken, error)
        return len(body)

    def _again(self, cells: Iterable[Cell]) -> None:
        # Before what came since: those are sent in the order they ran.
        self._changed = {cell.document["id"]: cell for cell in cells} | self._changed

    def _without(self, cells: list[Cell], error: Refused) -> None:
        """Send refused cells without their outputs; if that is refused too, nothing will ever be taken."""
        noted = all(is_noted(cell.document) for cell in cells)
        if error.status not in (413, 422) or noted:
            print(f"The results are not taken any more: {error}", file=sys.stderr)
            self._refused = True
            return
        print(f"The outputs of a cell are not kept: {error}", file=sys.stderr)
        for cell in cells:
            cell.document["outputs"] = [dict(NOTE, text=f"The outputs are in the job's log only: {error}\n")]
        self._again(cells)


def is_noted(document: Mapping[str, Any]) -> bool:
    """Tell whether a cell's outputs have been left out already."""
    outputs = document["outputs"]
    return len(outputs) == 1 and str(outputs[0].get("text", "")).startswith("The outputs are in the job's log only")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()  # noqa: UP017  (the environment's Python may be older than ours)
