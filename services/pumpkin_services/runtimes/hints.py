"""Which attempts something was heard of, for whoever waits for that."""

from __future__ import annotations

import asyncio

from pumpkin_services.runtimes.base import Key


class Hints:
    """A set of keys that is filled by `add` and emptied by `wait`."""

    def __init__(self) -> None:
        self._keys: set[Key] = set()
        self._some = asyncio.Event()

    def add(self, key: Key) -> None:
        """Note that something of `key` changed."""
        self._keys.add(key)
        self._some.set()

    async def wait(self, timeout: float) -> set[Key]:
        """See `Runtime.wait_change`."""
        try:
            # Not wait_for: on Python 3.11 it forgets a cancellation that comes together with the change.
            async with asyncio.timeout(timeout):
                await self._some.wait()
        except TimeoutError:
            pass
        self._some.clear()
        keys, self._keys = self._keys, set()
        return keys
