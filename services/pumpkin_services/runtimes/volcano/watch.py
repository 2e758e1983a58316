"""Informers: what the cluster has of one kind, kept up to date by a list and a watch that goes on where it broke."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.volcano.api import PATHS, Api, Refused

log = logging.getLogger("pumpkin.cluster")
WATCH_SECONDS = 300
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
GONE = 410


class Item(Protocol):
    """What an informer can hold."""

    @property
    def namespace(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102


T = TypeVar("T", bound=Item)


class Informer(Generic[T]):
    """All objects of a kind that a selector chooses, as `parse` reduces them (None: not kept).

    `changed(before, after)` is called for each change, in order; one of the two is None for what is new or gone. What
    vanished while nobody watched is noticed at the next list. `run` it until it is cancelled.
    """

    def __init__(
        self,
        api: Api,
        kind: str,
        *,
        selector: str,
        parse: Callable[[Mapping[str, Any]], T | None],
        changed: Callable[[T | None, T | None], None],
    ) -> None:
        self.items: dict[tuple[str, str], T] = {}
        self.synced = asyncio.Event()
        self._api = api
        self._where = PATHS[kind]
        self._kind = kind
        self._selector = selector
        self._parse = parse
        self._changed = changed
        self._version = ""

    async def run(self) -> None:
        """List once, then watch; resume after a break, list anew when the API server has forgotten where we were."""
        pause = FIRST_PAUSE
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                pause = FIRST_PAUSE
                continue
            except Refused as error:
                self._version = ""
                if error.code == GONE:
                    continue
                log.warning("watching %s: %s", self._kind, error)
            except Unavailable as error:
                log.info("watching %s goes on later: %s", self._kind, error)
            except Exception:
                # Who stops watching hears of nothing any more: rather miss what one event said, and list anew.
                self._version = ""
                log.exception("watching %s goes on from a new list", self._kind)
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _list(self) -> None:
        there: set[tuple[str, str]] = set()
        version = ""
        async for page in self._api.pages(self._where, self._selector):
            version = page["metadata"]["resourceVersion"]
            for item in page["items"]:
                kept = self._parse(item)
                if kept is not None:
                    there.add((kept.namespace, kept.name))
                    self._put(kept)
        for place in [place for place in self.items if place not in there]:
            self._remove(place)
        self._version = version
        self.synced.set()

    async def _watch(self) -> None:
        seconds = int(WATCH_SECONDS * random.uniform(1, 1.2))
        async for event in self._api.watch(
            self._where, selector=self._selector, version=self._version, seconds=seconds
        ):
            item = event["object"]
            self._version = item["metadata"]["resourceVersion"]
            if event["type"] == "BOOKMARK":
                continue
            kept = self._parse(item)
            if event["type"] == "DELETED":
                if kept is not None:
                    self._put(kept)  # its last state, which nobody may have seen yet
                self._remove((item["metadata"].get("namespace", ""), item["metadata"]["name"]))
            elif kept is not None:
                self._put(kept)

    def add(self, item: Mapping[str, Any]) -> None:
        """Know of an object that was just made, unless its watch was quicker."""
        kept = self._parse(item)
        if kept is not None and (kept.namespace, kept.name) not in self.items:
            self._put(kept)

    def _put(self, item: T) -> None:
        place = (item.namespace, item.name)
        before = self.items.get(place)
        if before != item:
            self.items[place] = item
            self._changed(before, item)

    def _remove(self, place: tuple[str, str]) -> None:
        before = self.items.pop(place, None)
        if before is not None:
            self._changed(before, None)
