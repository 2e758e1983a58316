"""The build loop: takes queued versions one after the other, locks and builds them, writes what became of them.

Runs beside the API, outside any request. Killed at any instant, the next builder takes the version over when
the claim expires: what the dead one left is in a work folder of its own and is swept away.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from dataclasses import dataclass, field
from pathlib import Path

from pumpkin_services.db import Database, utcnow
from pumpkin_services.events import Wakeups
from pumpkin_services.images.claims import Claims, Lost
from pumpkin_services.images.failures import BuildFailed
from pumpkin_services.images.interpreters import Interpreter, digest_of
from pumpkin_services.images.prefixes import Prefixes
from pumpkin_services.images.requirements import locked_packages
from pumpkin_services.images.service import TOPIC
from pumpkin_services.images.sweep import sweep
from pumpkin_services.images.tables import EnvironmentVersionRow
from pumpkin_services.images.uv import Uv, UvSettings
from pumpkin_services.problems import Problem

log = logging.getLogger("pumpkin.images")
POLL_SECONDS = 2.0
SWEEP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """`concurrency` builds at once, each of `timeout` seconds at most; claims last `lease` seconds unrenewed."""

    uv: UvSettings = field(default_factory=UvSettings)
    concurrency: int = 1
    timeout: float = 1800.0
    lease: float = 10.0
    deletion_grace: float = 3600.0
    """Seconds the files of a deleted version stay, for kernels that still run from them."""


class Builder:
    """Builds environments below `root` (`<data>/environments`) until cancelled."""

    def __init__(self, *, database: Database, wakeups: Wakeups, root: Path, settings: BuildSettings) -> None:
        self.database = database
        self.wakeups = wakeups
        self.settings = settings
        self.prefixes = Prefixes(root)
        self.claims = Claims(database=database, seconds=settings.lease)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Build until cancelled; builds in progress are then stopped and given back."""
        await asyncio.to_thread(self.prefixes.prepare)
        swept = 0.0
        clock = asyncio.get_running_loop().time
        try:
            while True:
                try:
                    await self._start_waiting()
                    if not swept or clock() - swept > SWEEP_SECONDS:
                        swept = clock()
                        await sweep(self.database, self.prefixes, self.claims, grace=self.settings.deletion_grace)
                except Exception:
                    log.exception("the build loop goes on after an error")
                await self.wakeups.wait(TOPIC, timeout=POLL_SECONDS)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _start_waiting(self) -> None:
        while len(self._running) < self.settings.concurrency:
            claimed = await self.claims.next_version()
            if claimed is None:
                return
            version_id, claim, before = claimed
            if before is not None:
                # What the builder that died left behind goes first; should it only have slept, it now fails.
                await asyncio.to_thread(self.prefixes.remove, self.prefixes.work / before, aside=before)
            task = asyncio.create_task(self._attend(version_id, claim))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _attend(self, version_id: str, claim: str) -> None:
        """Carry one build to an end: ready, failed, or given back."""
        build = asyncio.create_task(self._build(version_id, claim))
        keep = asyncio.create_task(self._keep(version_id, claim))
        try:
            await asyncio.wait({build, keep}, timeout=self.settings.timeout, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._end(build, keep, claim)
            await self.claims.release(claim)
            raise
        over = not build.done() and not keep.done()
        outcome = await self._end(build, keep, claim)
        if over:
            minutes = self.settings.timeout / 60
            outcome = BuildFailed("timeout", f"The build took longer than {minutes:g} minutes and was stopped.")
        await self._conclude(version_id, claim, outcome)

    async def _end(self, build: asyncio.Task[None], keep: asyncio.Task[None], claim: str) -> BaseException | None:
        """Stop both halves and remove what the build left; return what ended it, None when it was built."""
        build.cancel()
        keep.cancel()
        outcome, kept = await asyncio.gather(build, keep, return_exceptions=True)
        await asyncio.to_thread(self.prefixes.remove, self.prefixes.work / claim, aside=claim)
        return kept if isinstance(outcome, asyncio.CancelledError) else outcome

    async def _keep(self, version_id: str, claim: str) -> None:
        """Renew the claim until it is lost; a ring for the version (it was deleted) checks at once."""
        while True:
            await self.claims.renew(claim)
            await self.wakeups.wait(f"environment:{version_id}", timeout=self.claims.seconds / 3)

    async def _conclude(self, version_id: str, claim: str, outcome: BaseException | None) -> None:
        if isinstance(outcome, Lost):
            self._note(version_id, "stopped: the version was deleted, or another builder took it over")
        elif outcome is not None:
            failure = _failure(outcome, version_id)
            self._note(version_id, f"failed ({failure.reason}): {failure.message}")
            try:
                await self.claims.write(
                    claim, state="failed", reason=failure.reason, message=failure.message,
                    finished=utcnow(), owner=None, expires=None,
                )  # fmt: skip
            except Lost:
                pass
        for topic in (f"environment:{version_id}", TOPIC, "pipeline"):
            self.wakeups.ring(topic)

    async def _build(self, version_id: str, claim: str) -> None:
        async with self.database.read() as session:
            version = await session.get_one(EnvironmentVersionRow, version_id)
        folder = self.prefixes.work / claim
        folder.mkdir(parents=True)
        uv = Uv(self.settings.uv, folder=folder, cache=self.prefixes.cache, log=self.prefixes.log(version_id))
        python = await uv.interpreter(version.python_request)
        self._note(version_id, f"building for Python {python.version}")
        lock = version.lock or await uv.lock(version.requirements, python=python.python)
        digest = digest_of(lock, python=python.version)
        await self.claims.write(
            claim, lock=lock, packages=locked_packages(lock), digest=digest, python_version=python.version
        )
        size = await self._prefix(version_id, claim, digest=digest, lock=lock, python=python, uv=uv)
        prefix = self.prefixes.prefix(digest)
        self._note(version_id, f"ready: {size} bytes")
        await self.claims.write(
            claim, state="ready", prefix=str(prefix), python=str(prefix / "bin/python"), bytes=size,
            finished=utcnow(), owner=None, expires=None,
        )  # fmt: skip

    async def _prefix(self, version_id: str, claim: str, *, digest: str, lock: str, python: Interpreter, uv: Uv) -> int:
        """Return the bytes of the prefix of `digest`, built now unless it is there; one builder at a time builds it."""
        while await self.claims.prefix(digest, claim) == "busy":
            self._note(version_id, "waiting: the same packages are being installed for another version")
            await self.wakeups.wait(f"environment-prefix:{digest}", timeout=1.0)
        size: int | None = None
        try:
            size = await asyncio.to_thread(self.prefixes.size, digest)
            if size is None:
                await asyncio.to_thread(self.prefixes.remove, self.prefixes.prefix(digest), aside=f"{claim}-damaged")
                built = uv.folder / "prefix"
                await uv.install(lock, python=python.python, prefix=built)
                size = await asyncio.to_thread(self.prefixes.publish, built, digest=digest)
            else:
                self._note(version_id, "installed already, for another version with the same lock")
        finally:
            await asyncio.shield(self.claims.prefix_done(digest, claim, size=size))
            self.wakeups.ring(f"environment-prefix:{digest}")
        return size or 0

    def _note(self, version_id: str, text: str) -> None:
        try:
            with self.prefixes.log(version_id).open("a", encoding="utf-8") as file:
                file.write(f"{utcnow():%Y-%m-%d %H:%M:%S} {text}\n")
        except OSError as error:
            # A full disk must not keep the outcome out of the database.
            log.warning("the build log of %s cannot be written: %s", version_id, error)


def _failure(error: BaseException, version_id: str) -> BuildFailed:
    if isinstance(error, BuildFailed):
        return error
    if isinstance(error, Problem):
        return BuildFailed("not_found", error.detail)
    if isinstance(error, OSError):
        reason = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "build_failed"
        return BuildFailed(reason, f"The machine that builds says: {error.strerror}.")
    log.error("building %s broke", version_id, exc_info=error)
    return BuildFailed("build_failed", f"The builder broke: tell an admin to look for {version_id} in its log.")
