"""Reading many small places of packs in a known order: neighbours by one request, the next ones while one is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from pumpkin_services.artifacts.chunks import Location
from pumpkin_services.storage.base import ObjectMissing, ObjectStore

SMALL = 1 << 20
"""Bytes of a place up to which it is fetched with its neighbours; larger ones are streamed by themselves."""
SPAN = 8 << 20
"""Bytes fetched by one request."""
GAP = 64 << 10
"""Unneeded bytes that are fetched along rather than asked around."""
AHEAD = 3
"""Spans that are fetched in advance: with the one in use at most 32 MiB are held."""


class Ahead:
    """`stream`s `places` of `store`, asked for in about their order; use it as a context manager."""

    def __init__(self, store: ObjectStore, places: Iterable[Location]) -> None:
        self._store = store
        self._spans: list[Location] = []
        self._span_of: dict[tuple[str, int], int] = {}
        self._held: dict[int, Future[bytes]] = {}
        for place in places:
            if place.size <= SMALL:
                self._add(place)

    def _add(self, place: Location) -> None:
        last = self._spans[-1] if self._spans else None
        if last is not None and last.object_id == place.object_id:
            size = place.offset + place.size - last.offset
            if 0 <= place.offset - last.offset - last.size <= GAP and size <= SPAN:
                self._spans[-1] = Location(last.object_id, last.offset, size)
                self._span_of[place.key, place.offset] = len(self._spans) - 1
                return
        self._spans.append(place)
        self._span_of[place.key, place.offset] = len(self._spans) - 1

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(AHEAD + 1, "read-ahead")
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def stream(self, key: str, *, offset: int, size: int) -> Iterator[bytes]:
        """Iterate over `size` bytes at `offset`; see `ObjectStore.stream`."""
        number = self._span_of.get((key, offset))
        span = None if number is None else self._spans[number]
        if number is None or span is None or offset + size > span.offset + span.size:
            yield from self._store.stream(key, offset=offset, size=size)
            return
        try:
            data = self._fetched(number)
        except ObjectMissing:  # something else of the span, perhaps
            yield from self._store.stream(key, offset=offset, size=size)
            return
        yield data[offset - span.offset : offset - span.offset + size]

    def _fetched(self, number: int) -> bytes:
        for gone in [held for held in self._held if held < number]:
            self._held.pop(gone).cancel()
        for wanted in range(number, min(number + AHEAD + 1, len(self._spans))):
            if wanted not in self._held:
                span = self._spans[wanted]
                self._held[wanted] = self._pool.submit(self._store.read, span.key, offset=span.offset, size=span.size)
        return self._held[number].result()
