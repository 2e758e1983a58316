"""Whether the platform is well: each part is really asked, and what it takes is measured. For admins."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from sqlalchemy import text

from pumpkin_services.db import Database, new_id
from pumpkin_services.hub import HubClient
from pumpkin_services.pipeline.lag import Lag, lag
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Runtime
from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.web import Call, Route, Wire

log = logging.getLogger("pumpkin.health")
PATIENCE = 5.0
"""What has not answered after so many seconds counts as down."""
SLOW_DATABASE_MS, SLOW_STORE_MS, SLOW_HUB_MS = 100.0, 1000.0, 1000.0
LITTLE_ROOM = 0.05
"""A store with less of it free is about to be full."""
SLOW_PASS_SECONDS, LATE_PASS_SECONDS = 15.0, 60.0
T = TypeVar("T")
State = Literal["ok", "slow", "down"]


class Light(Wire):
    """One part: `milliseconds` is what asking it took, `error` why it is down."""

    state: State
    milliseconds: float | None = None
    error: str = ""


class StoreLight(Light):
    """The object store: a small object was written, read and removed. Bytes free, null where nobody can tell."""

    free_bytes: int | None = None
    total_bytes: int | None = None


class PipelineLight(Light):
    """The pipeline, as the database tells: seconds since it looked at everything, and what was asked of it since."""

    passed_seconds: float | None = None
    unhandled: int = 0
    oldest_seconds: float | None = None


class HubLight(Light):
    """The Hub, and the runtime that starts what runs here."""

    version: str = ""
    runtime_milliseconds: float | None = None


class PlatformHealth(Wire):
    """The four lights."""

    database: Light
    store: StoreLight
    pipeline: PipelineLight
    hub: HubLight


class HealthService:
    """Asks the parts, all at once; none of them can make it fail."""

    def __init__(self, *, database: Database, store: ObjectStore, hub: HubClient, runtime: Runtime) -> None:
        self._database = database
        self._store = store
        self._hub = hub
        self._runtime = runtime

    async def look(self) -> PlatformHealth:
        """Return how all of them are."""
        database, store, pipeline, hub = await asyncio.gather(
            self._look_database(), self._look_store(), self._look_pipeline(), self._look_hub()
        )
        return PlatformHealth(database=database, store=store, pipeline=pipeline, hub=hub)

    async def _look_database(self) -> Light:
        async def ask() -> None:
            async with self._database.read() as session:
                await session.execute(text("SELECT 1"))

        _, took, error = await _ask(ask)
        return Light(state=_state(took, SLOW_DATABASE_MS), milliseconds=took, error=error)

    async def _look_store(self) -> StoreLight:
        room, took, error = await _ask(lambda: asyncio.to_thread(_try, self._store))
        light = StoreLight(state=_state(took, SLOW_STORE_MS), milliseconds=took, error=error)
        if room is not None:
            light.free_bytes, light.total_bytes = room
            if light.free_bytes < LITTLE_ROOM * light.total_bytes:
                light.state = "slow"
        return light

    async def _look_pipeline(self) -> PipelineLight:
        async def ask() -> Lag:
            async with self._database.read() as session:
                return await lag(session)

        found, took, error = await _ask(ask)
        if found is None:
            return PipelineLight(state="down", error=error)
        passed = found.passed_seconds
        late = passed is None or passed > LATE_PASS_SECONDS
        slow = (passed or 0) > SLOW_PASS_SECONDS or (found.oldest_seconds or 0) > SLOW_PASS_SECONDS
        return PipelineLight(
            state="down" if late or not found.led else "slow" if slow else "ok",
            milliseconds=took,
            passed_seconds=passed,
            unhandled=found.unhandled,
            oldest_seconds=found.oldest_seconds,
        )

    async def _look_hub(self) -> HubLight:
        version, took, error = await _ask(lambda: self._hub.version(seconds=PATIENCE))
        _, runtime, broken = await _ask(self._runtime.list)
        states = (_state(took, SLOW_HUB_MS), _state(runtime, SLOW_HUB_MS))
        return HubLight(
            state=max(states, key=("ok", "slow", "down").index),
            milliseconds=took,
            error=error or broken,
            version=version or "",
            runtime_milliseconds=runtime,
        )


def routes(service: HealthService) -> list[Route]:
    """Return the route."""

    async def look(_call: Call[Any, Any]) -> PlatformHealth:
        return await service.look()

    return [
        Route(method="GET", path="/resources/health", summary="Tell whether database, store, pipeline and Hub are well",
              scope="resources:admin", owner="admin", endpoint=look, response=PlatformHealth, session=False),
    ]  # fmt: skip


async def _ask(ask: Callable[[], Awaitable[T]]) -> tuple[T | None, float | None, str]:
    """Return what a part answered and how many milliseconds it took; or None, None and why not."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await ask()
    except TimeoutError:
        return None, None, f"No answer within {PATIENCE:g} s."
    except Problem as problem:
        return None, None, problem.detail
    except Exception as error:
        log.exception("a part of the platform is not well")
        return None, None, f"{type(error).__name__}: {error}"[:500]
    return answer, round((time.monotonic() - began) * 1000, 1), ""


def _try(store: ObjectStore) -> tuple[int, int] | None:
    """Write, read and remove a small object; return how much room there is."""
    key, data = f"probes/{new_id()}", b"well?"
    with store.create(key) as sink:
        sink.write(data)
    try:
        if store.read(key) != data:
            raise OSError("the store gave back something else than was written")
    finally:
        store.delete(key)
    return store.room()


def _state(took: float | None, slow: float) -> State:
    return "down" if took is None else "slow" if took > slow else "ok"
