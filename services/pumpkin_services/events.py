"""Wake-ups between the parts of one process: who waits on a topic is told that something changed, not what.

The truth is always in the database or in a file; a lost wake-up costs a poll interval, never a fact.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Wakeups:
    """Named topics (`pipeline`, `workload:<id>`, …) to wait on and to ring."""

    def __init__(self) -> None:
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def ring(self, topic: str) -> None:
        """Wake everybody who waits on `topic`."""
        for event in self._waiters.get(topic, ()):
            event.set()

    async def wait(self, topic: str, *, timeout: float) -> bool:
        """Wait until `topic` rings or `timeout` seconds pass; tell whether it rang."""
        event = asyncio.Event()
        self._waiters[topic].add(event)
        try:
            # Not wait_for: on Python 3.11 it forgets a cancellation that comes together with the ring.
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters[topic].discard(event)
            if not self._waiters[topic]:
                del self._waiters[topic]
        return True
