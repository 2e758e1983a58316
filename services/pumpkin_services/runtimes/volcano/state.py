"""What the cluster has of ours now: the informers together, and what they say of one attempt."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pumpkin_services.runtimes.base import Key
from pumpkin_services.runtimes.volcano import names, objects
from pumpkin_services.runtimes.volcano.api import Api
from pumpkin_services.runtimes.volcano.objects import Group, Job, Pod
from pumpkin_services.runtimes.volcano.watch import Informer

T = TypeVar("T", Pod, Group, Job)


class State:
    """Pods, vcjobs and PodGroups of all our namespaces; `heard(before, after)` is told of each change.

    What is in a namespace without our `prefix` is another platform's on the same cluster.
    """

    def __init__(self, api: Api, *, prefix: str, heard: Callable[[Any, Any], None]) -> None:
        self._heard = heard
        self._prefix = prefix
        self._of: defaultdict[Key, dict[tuple[str, str, str], Pod | Group | Job]] = defaultdict(dict)
        # A pod's own informer is the last, so that no pod is known before the job it belongs to.
        self._jobs = Informer(api, "Job", selector=names.SELECTOR, parse=self._ours(objects.job), changed=self._note)
        self._groups = Informer(
            api, "PodGroup", selector=names.SELECTOR, parse=self._ours(objects.group), changed=self._note
        )
        self._pods = Informer(api, "Pod", selector=names.SELECTOR, parse=self._ours(objects.pod), changed=self._note)

    def _ours(self, parse: Callable[[Mapping[str, Any]], T | None]) -> Callable[[Mapping[str, Any]], T | None]:
        return lambda item: parse(item) if item["metadata"]["namespace"].startswith(self._prefix) else None

    async def run(self) -> None:
        """Keep up to date until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in (self._jobs, self._groups, self._pods):
                group.create_task(informer.run())

    async def synced(self) -> None:
        """Wait until all that is there has been seen once."""
        for informer in (self._jobs, self._groups, self._pods):
            await informer.synced.wait()

    def _note(self, before: Pod | Group | Job | None, after: Pod | Group | Job | None) -> None:
        item = after or before
        assert item is not None
        place = (type(item).__name__, item.namespace, item.name)
        if before is not None and (after is None or before.key != after.key):
            self._of[before.key].pop(place, None)
            if not self._of[before.key]:
                del self._of[before.key]
        if after is not None:
            self._of[after.key][place] = after
        self._heard(before, after)

    def note(self, made: Mapping[str, Any] | None) -> None:
        """Know at once of a vcjob or PodGroup that was just made; its watch would tell a moment later."""
        if made is None:
            return
        if made["kind"] == "Job":
            self._jobs.add(made)
        else:
            self._groups.add(made)

    def everything(self) -> Iterator[tuple[Key, Pod | Group | Job]]:
        """Yield all there is."""
        for key, items in self._of.items():
            for item in items.values():
                yield key, item

    def of(self, key: Key) -> list[Pod | Group | Job]:
        """Return all there is of an attempt."""
        return list(self._of[key].values()) if key in self._of else []

    def keys(self) -> list[Key]:
        """Return the attempts of which there is something."""
        return list(self._of)

    def pods(self, key: Key) -> list[Pod]:
        """Return an attempt's pods."""
        return [item for item in self.of(key) if isinstance(item, Pod)]

    def job(self, key: Key) -> Job | None:
        """Return an attempt's vcjob."""
        return next((item for item in self.of(key) if isinstance(item, Job)), None)

    def group(self, key: Key) -> Group | None:
        """Return an attempt's PodGroup."""
        return next((item for item in self.of(key) if isinstance(item, Group)), None)

    def tickets(self) -> dict[Key, bool]:
        """Return what stands in a queue or has been admitted."""
        found: dict[Key, bool] = {}
        for key, item in self.everything():
            if isinstance(item, Job):
                found.setdefault(key, False)
            elif isinstance(item, Group):
                found[key] = found.get(key, False) or item.admitted
            elif item.kind == "job":
                found[key] = True
        return found
