"""Brings home what pods leave: each replica's start, log and end, one task per pod."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from pumpkin_services.runtimes.base import Key, Observation
from pumpkin_services.runtimes.volcano.api import Api
from pumpkin_services.runtimes.volcano.logs import Tail
from pumpkin_services.runtimes.volcano.objects import NOTEBOOK, Pod
from pumpkin_services.runtimes.volcano.observe import observe, vanished
from pumpkin_services.runtimes.volcano.pods import MAIN
from pumpkin_services.runtimes.volcano.records import Records

log = logging.getLogger("pumpkin.cluster")
LOOK_SECONDS = 5.0
"""How often a pod is looked at without having been heard of: some of what ends it is that time passes."""
OTHERS_SECONDS = 1.0
LOG_SECONDS = 30.0
"""How long the end of a log is waited for once its pod has ended."""


class _Watched:
    """One pod: as it is, or was when it was last there."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.gone = False
        self.news = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether its own container writes no more."""
        main = self.pod.main
        return (
            self.gone or self.pod.phase in ("Succeeded", "Failed") or (main is not None and main.state == "terminated")
        )


class Keeper:
    """Feed it with every change of a pod. `changed` is told of starts and ends, `over` of ends once they are kept."""

    def __init__(
        self,
        api: Api,
        records: Records,
        *,
        changed: Callable[[Key], None],
        over: Callable[[Key], Awaitable[None]],
    ) -> None:
        self._api = api
        self._records = records
        self._changed = changed
        self._over = over
        self._watched: dict[str, _Watched] = {}

    def close(self) -> None:
        """Stop following; whoever comes next goes on from what is kept."""
        for item in self._watched.values():
            if item.task is not None:
                item.task.cancel()

    def heard(self, before: Pod | None, after: Pod | None) -> None:
        """Take note of a change of a pod."""
        pod = after or before
        assert pod is not None
        item = self._watched.get(pod.uid)
        if before is not None and after is not None and before.uid != after.uid:
            self.heard(before, None)
        if item is None:
            if after is None:
                return
            item = self._watched[pod.uid] = _Watched(pod)
            item.task = asyncio.create_task(self._keep(item))
        if item.pod.disruption and not pod.disruption:
            # A kubelet may write over it what it had read before: who ended the pod stays known.
            pod = replace(pod, disruption=item.pod.disruption, disruption_message=item.pod.disruption_message)
        item.pod, item.gone = pod, after is None
        item.news.set()

    def keeps(self, key: Key, replica: str) -> bool:
        """Tell whether a replica's pod is being watched, or its end is being written."""
        return any(item.pod.key == key and item.pod.replica == replica for item in list(self._watched.values()))

    def brings(self, key: Key) -> bool:
        """Tell whether the log or the end of a pod that has ended is on its way home."""
        return any(item.pod.key == key and item.ended for item in list(self._watched.values()))

    async def settled(self, key: Key, timeout: float) -> None:
        """Wait until what has ended of an attempt is kept, for at most so many seconds."""
        tasks = [
            item.task for item in self._watched.values() if item.pod.key == key and item.ended and item.task is not None
        ]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)

    # -- one pod ----------------------------------------------------------------------------------------------

    async def _keep(self, item: _Watched) -> None:
        try:
            while True:
                try:
                    return await self._until_over(item)
                except Exception as error:  # the disk is full, the cluster away: what it leaves waits for us
                    log.warning("what %s leaves is kept later: %s", item.pod.name, error)
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._watched.pop(item.pod.uid, None)

    async def _until_over(self, item: _Watched) -> None:
        key, replica = item.pod.key, item.pod.replica
        if await asyncio.to_thread(self._records.exited, key, replica) is not None:
            await self._over(key)
            return
        if await asyncio.to_thread(self._records.asked, key) is None:
            return  # not launched from this data folder: the janitor's
        lock = await self._lock(item)
        if lock is None:
            return
        tail: asyncio.Task[None] | None = None
        try:
            if await self._another(item):
                return
            while True:
                item.news.clear()
                seen = await asyncio.to_thread(self._look, item)
                if seen is not None and seen.started is not None and tail is None:
                    await asyncio.to_thread(self._records.start, key, seen, uid=item.pod.uid)
                    self._changed(key)
                    tail = asyncio.create_task(self._tail(item))
                if seen is not None and seen.final:
                    if tail is not None:
                        await asyncio.wait({tail}, timeout=LOG_SECONDS)
                    await asyncio.to_thread(self._records.exit, key, seen)
                    self._changed(key)
                    await self._over(key)
                    return
                if item.gone:
                    self._changed(key)
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await item.news.wait()
        finally:
            if tail is not None:
                tail.cancel()
                await asyncio.wait({tail})
            os.close(lock)

    async def _lock(self, item: _Watched) -> int | None:
        """Become the one who keeps this pod; None when another process has kept it to its end."""
        key, replica = item.pod.key, item.pod.replica
        while True:
            lock = await asyncio.to_thread(self._records.lock, key, replica)
            if lock is not None:
                return lock
            if await asyncio.to_thread(self._records.exited, key, replica) is not None:
                self._changed(key)
                return None
            await asyncio.sleep(OTHERS_SECONDS)

    async def _another(self, item: _Watched) -> bool:
        """Tell whether this pod is a second one of a replica that has run: that run is lost, this one must not be."""
        key, replica = item.pod.key, item.pod.replica
        started = await asyncio.to_thread(self._records.started, key, replica)
        if started is None or started["uid"] == item.pod.uid:
            return False
        log.warning("%s was made anew though it had run: ending it", item.pod.name)
        seen = Observation(
            replica=replica, state="lost", started=started["started"], ended=self._api.now(), node=started["node"],
            cause="its pod vanished and was made anew",
        )  # fmt: skip
        await asyncio.to_thread(self._records.exit, key, seen)
        await self._api.delete("Pod", item.pod.namespace, item.pod.name, grace=0, uid=item.pod.uid)
        self._changed(key)
        return True

    def _look(self, item: _Watched) -> Observation | None:
        stopped = self._records.stopped(item.pod.key)
        if item.gone:
            return vanished(item.pod, now=self._api.now(), stopped=stopped)
        return observe(item.pod, asked="", now=self._api.now(), stopped=stopped)

    async def _tail(self, item: _Watched) -> None:
        pod = item.pod
        tail = Tail(self._records.replica(pod.key, pod.replica))
        container = NOTEBOOK if pod.kind == "notebook" else MAIN
        await tail.follow(
            self._api, namespace=pod.namespace, pod=pod.name, container=container, ended=lambda: item.ended
        )
