"""A small work queue: each key is worked on by one worker at a time, and is never in the queue twice.

A key added while it is worked on comes again when that is done, so no wake-up is lost; one that failed comes again
after a growing pause.
"""

from __future__ import annotations

import asyncio
from collections import deque


class WorkQueue:
    """Keys to work on. `first` and `longest` are the back-off's bounds in seconds."""

    def __init__(self, *, first: float = 0.2, longest: float = 30.0) -> None:
        self._first = first
        self._longest = longest
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        """In `_ready`."""
        self._working: set[str] = set()
        self._again: set[str] = set()
        """Added while being worked on."""
        self._failures: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._wanted = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def idle(self) -> bool:
        """Whether nothing is waiting or being worked on (timers apart)."""
        return not self._ready and not self._working

    def add(self, key: str) -> None:
        """Have `key` worked on as soon as may be."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._wanted.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Have `key` worked on in `seconds`, or sooner if it is added before; the earlier of two timers counts."""
        if seconds <= 0:
            self.add(key)
            return
        when = asyncio.get_running_loop().time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_at(when, self.add, key)

    async def get(self) -> str:
        """Wait for the next key; the caller must say `done` or `failed` when finished with it."""
        while not self._ready:
            self._wanted.clear()
            await self._wanted.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: str) -> None:
        """Finish a key that went well."""
        self._failures.pop(key, None)
        self._finish(key)

    def failed(self, key: str) -> float:
        """Finish a key that did not; it comes again after a pause, whose seconds are returned."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(self._first * 2 ** min(failures, 30), self._longest)
        # What was added meanwhile waits for the pause too: else a noisy key would never back off.
        self._again.discard(key)
        self._finish(key)
        self.add_after(key, pause)
        return pause

    def close(self) -> None:
        """Drop the timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _finish(self, key: str) -> None:
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
