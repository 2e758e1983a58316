"""Ends and removes what the cluster has of attempts.

A vcjob is ended by deleting it: while it is there, its controller makes anew whatever pod vanishes (the Abort command
ends the pods too, but with their own, long time to end). Its pods are deleted just before, one by one, with the time
they are given: the garbage collector, which comes for them next, cannot lengthen it.
"""

from __future__ import annotations

import asyncio
import math

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.base import Key
from pumpkin_services.runtimes.volcano import names
from pumpkin_services.runtimes.volcano.api import Api
from pumpkin_services.runtimes.volcano.records import Records
from pumpkin_services.runtimes.volcano.state import State

LAST_SECONDS = 5
"""What a pod gets on top of its process's grace, for its agent to send the last metrics."""
GONE_SECONDS, FORCE_SECONDS, GONE_PAUSE = 60.0, 30.0, 0.2
"""How long to wait for pods to go, when not to wait for their kubelet any more, between two looks."""


class Cleaner:
    """Ends and removes."""

    def __init__(self, api: Api, state: State, records: Records) -> None:
        self._api = api
        self._state = state
        self._records = records

    async def stop(self, key: Key, *, grace: float) -> None:
        """Have all pods of an attempt end within `grace` seconds and what their agents need, and no more be made."""
        await self.clear(key, grace=math.ceil(grace) + LAST_SECONDS)

    async def over(self, key: Key) -> None:
        """Remove what the cluster has of an attempt if all of it has ended and come home."""
        if await asyncio.to_thread(self._records.over, key):
            await self.clear(key, grace=0, spare_notebook=True)

    async def clear(self, key: Key, *, grace: int, spare_notebook: bool = False) -> None:
        """Delete everything of an attempt; `spare_notebook` leaves the pod of a notebook to the Hub, which asks it."""
        namespaces = {item.namespace for item in self._state.of(key)}
        asked = await asyncio.to_thread(self._records.asked, key)
        if asked is not None:
            namespaces.add(asked.namespace)
        for pod in self._state.pods(key):
            ended = pod.kind == "job" and pod.phase in ("Succeeded", "Failed")  # goes with its job
            if not (ended or (spare_notebook and pod.kind == "notebook")) and (pod.grace is None or grace < pod.grace):
                await self._api.delete("Pod", pod.namespace, pod.name, grace=grace, uid=pod.uid)
        kind = asked.kind if asked is not None else ""
        for namespace in namespaces:
            # First what cannot be listed: what is found of an attempt that is over tells that its Secret may be there.
            await self._api.delete("Secret", namespace, names.job(key))
            if kind != "notebook":
                await self._api.delete("Job", namespace, names.job(key))
            if kind != "job":
                await self._api.delete("PodGroup", namespace, names.ticket(key))

    async def gone(self, key: Key) -> None:
        """Wait until nothing of an attempt is left in the cluster; raise `Unavailable` if something stays."""
        try:
            async with asyncio.timeout(GONE_SECONDS):
                tries = 0
                while self._state.of(key):
                    await asyncio.sleep(GONE_PAUSE)
                    # A kubelet that does not answer cannot say that it has ended them.
                    tries += 1
                    await self.clear(key, grace=1 if tries * GONE_PAUSE < FORCE_SECONDS else 0)
        except TimeoutError:
            raise Unavailable("Some of the workload's pods do not end: see their node.") from None
