"""Versions as read-only folders on a node, shared by its pods: made once, kept while used, evicted by last use.

```
trees/<tree>    a version, whole; its mtime is when it was last used
tmp/<tree>      a version on its way: whoever is killed in the middle is taken up from there
locks/<tree>    locked exclusively by who makes or removes the tree, shared by who uses it; holds its size
```
Locks are flock's, so they go with their process; a tree appears by renaming. All pods run as the same user.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import stat
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

RECENT = 600.0
"""Seconds a tree is kept after its last use: a pod that was given it may not have locked it yet."""

Fetch = Callable[[Path], None]


def tree(source: str) -> str:
    """Return the name of the folder of a version, by its path in the API."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


class Cache:
    """The cache of one node. Every method blocks."""

    def __init__(self, root: Path, *, recent: float = RECENT) -> None:
        self.root = root
        self._recent = recent

    def path(self, source: str) -> Path:
        """Return where the version is, or would be."""
        return self.root / "trees" / tree(source)

    def materialise(self, source: str, fetch: Fetch, *, waiting: Callable[[], None] = lambda: None) -> Path:
        """Return the version's folder; `fetch` fills the folder it is given, which may hold part of it already.

        `waiting` is called when another pod is fetching it at this moment.
        """
        name, waits = tree(source), False
        while True:
            # Whoever waits does so for a shared lock: pods that use the tree hold one as long as they run.
            with self._lock(name, shared=True, wait=waits) as lock:
                if lock is not None and self._use(name):
                    return self.path(source)
            with self._lock(name, wait=False) as lock:
                if lock is not None:
                    return self._make(name, lock, fetch)
            if not waits:
                waiting()
            waits = True
            time.sleep(random.uniform(0.01, 0.1))

    @contextmanager
    def hold(self, sources: Sequence[str]) -> Generator[list[str]]:
        """Keep versions from being evicted; yield those that are not there (any more)."""
        with ExitStack() as stack:
            for source in sources:
                stack.enter_context(self._lock(tree(source), shared=True))
            yield [source for source in sources if not self._use(tree(source))]
            for source in sources:
                self._use(tree(source))

    def evict(self, limit: int) -> int:
        """Remove what is used least recently, and by no pod, until `limit` bytes are kept; return how many are."""
        kept = sum(size for _, size, _ in self._trees())
        self._drop(lambda gone: kept - gone <= limit)
        self._sweep()
        return sum(size for _, size, _ in self._trees())

    def make_room(self, need: int) -> bool:
        """Have `need` bytes free on the cache's disk, evicting what may go; tell whether they are."""
        self._drop(lambda _: shutil.disk_usage(self.root).free >= need)
        return shutil.disk_usage(self.root).free >= need

    # -- making -----------------------------------------------------------------------------------------------

    @contextmanager
    def _lock(self, name: str, *, shared: bool = False, wait: bool = True) -> Generator[int | None]:
        """Lock a tree; yield the lock's descriptor, None when somebody else has it."""
        for folder in ("trees", "tmp", "locks"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "locks" / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
            try:
                fcntl.flock(descriptor, how)
            except BlockingIOError:
                yield None
            else:
                yield descriptor
        finally:
            os.close(descriptor)

    def _use(self, name: str) -> bool:
        try:
            os.utime(self.root / "trees" / name)
        except FileNotFoundError:
            return False
        return True

    def _make(self, name: str, lock: int, fetch: Fetch) -> Path:
        target, partial = self.root / "trees" / name, self.root / "tmp" / name
        if self._use(name):
            return target
        _open_up(partial)
        fetch(partial)
        size = _seal(partial)
        os.pwrite(lock, f"{size:020}".encode(), 0)
        # Whole on the disk before it has its name: a node that loses power must not come back with empty files.
        os.sync()
        partial.rename(target)
        target.chmod(0o555)  # now only: a folder that cannot be written cannot be moved
        self._use(name)
        return target

    # -- removing ---------------------------------------------------------------------------------------------

    def _trees(self) -> list[tuple[float, int, str]]:
        """Return when each tree was last used, its size and its name; the least recent first."""
        found: list[tuple[float, int, str]] = []
        trees = self.root / "trees"
        for path in trees.iterdir() if trees.is_dir() else ():
            try:
                size = int((self.root / "locks" / path.name).read_bytes() or b"0")
                found.append((path.stat().st_mtime, size, path.name))
            except (FileNotFoundError, ValueError):  # it went meanwhile, or is none of ours
                continue
        return sorted(found)

    def _drop(self, enough: Callable[[int], bool]) -> None:
        """Remove trees until `enough`, told how many bytes went, is true."""
        gone = 0
        for used, size, name in self._trees():
            if enough(gone) or used > time.time() - self._recent:
                return
            with self._lock(name, wait=False) as lock:
                target = self.root / "trees" / name
                if lock is None or not target.is_dir():
                    continue
                target.chmod(0o755)
                going = target.rename(self.root / "tmp" / f"{name}.going")
                _remove(going)
                gone += size

    def _sweep(self) -> None:
        """Remove what killed processes left half made or half removed, if nobody has taken it up."""
        for path in (self.root / "tmp").iterdir() if (self.root / "tmp").is_dir() else ():
            with self._lock(path.name.partition(".")[0], wait=False) as lock:
                if lock is not None and path.exists() and path.stat().st_mtime <= time.time() - self._recent:
                    _remove(path)


def _seal(folder: Path) -> int:
    """Make all below `folder` read-only; return the bytes of its files."""
    size = 0
    for current, folders, names in os.walk(folder):
        for name in names:
            path = Path(current, name)
            info = path.lstat()
            size += info.st_size
            if not stat.S_ISLNK(info.st_mode):  # what a link leads to is not ours
                path.chmod(info.st_mode & 0o555)
        for name in folders:
            if not os.path.islink(path := os.path.join(current, name)):
                os.chmod(path, 0o555)  # noqa: S103 all pods run as one user
    return size


def _open_up(folder: Path) -> None:
    for current, _, _ in os.walk(folder):
        Path(current).chmod(0o755)


def _remove(folder: Path) -> None:
    _open_up(folder)
    shutil.rmtree(folder, ignore_errors=True)
