"""Versions as read-only folders on this node: made once, shared by hard links, evicted by last use.

```
cache/files/<ab>/<sha256>-<mode>   each content once        cache/pins/<version>/<holder>   who uses a version
cache/versions/<version>/…         trees of hard links      cache/locks/<version>           one process at a time
cache/tmp/<version>.…              a tree being made
```
Any process may be killed at any time: trees appear by renaming, locks go with their process.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from urllib.parse import quote, unquote

from pumpkin_services.artifacts.ahead import SMALL, Ahead
from pumpkin_services.artifacts.chunks import Damaged, Location, runs
from pumpkin_services.artifacts.manifest import Entry, shown
from pumpkin_services.db import new_id
from pumpkin_services.problems import StorageFull
from pumpkin_services.storage.base import ObjectMissing, ObjectStore, storage_problems

LARGE_AT_ONCE = 3
"""Large files that are fetched at once."""


class NodeCache:
    """The cache of one node, at most `limit` bytes unless pinned versions alone need more. Every method blocks."""

    def __init__(self, root: Path, *, limit: int) -> None:
        self.root = root
        self._limit = limit

    @contextmanager
    def try_lock(self, version_id: str) -> Generator[bool]:
        """Take a version's lock, in this process and all others; tell whether it was free."""
        with storage_problems():
            for name in ("files", "versions", "pins", "locks", "tmp"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "locks" / version_id, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)

    def find(self, version_id: str, *, holder: str) -> Path | None:
        """Pin a version for `holder` and return its folder if it is there already. Hold its lock."""
        pins = self.root / "pins" / version_id
        with storage_problems():
            pins.mkdir(exist_ok=True)
            (pins / quote(holder, safe="")).touch()
        tree = self.root / "versions" / version_id
        try:
            os.utime(tree)
        except FileNotFoundError:
            return None
        return tree

    def build(
        self, version_id: str, entries: Sequence[Entry], *, places: dict[str, Location], store: ObjectStore
    ) -> Path:
        """Make a version's folder. Hold its lock.

        Raises:
            StorageFull: if the disk has not the room; nothing is left half done.
            Damaged: if the store lacks a part, or has it wrong.
        """
        need = sum({(entry.sha256, entry.mode): entry.size for entry in entries}.values())
        self.evict(need=need)
        free = shutil.disk_usage(self.root).free
        if need > free:  # less may do: what other versions have is linked, not copied
            missing = [entry for entry in entries if not os.path.exists(self._file(entry))]
            need = sum({self._file(entry): entry.size for entry in missing}.values())
        if need > free:
            raise StorageFull(
                f"This version needs {need} bytes on the node, {free} are free: try later, or ask an admin.",
                reason="node_full",
            )
        for left in (self.root / "tmp").glob(f"{version_id}.*"):
            _remove_tree(left)
        partial = self.root / "tmp" / f"{version_id}.{new_id()}"
        tree = self.root / "versions" / version_id
        try:
            with storage_problems():
                self._fill(partial, entries, places, store)
                os.rename(partial, tree)
                # Only now: a folder that may not be written may not be moved either.
                tree.chmod(0o555)
        except BaseException as error:
            _remove_tree(partial)
            if isinstance(error, StorageFull):
                raise StorageFull(
                    "The node's disk has become full while this version was laid out: try later, or ask an admin.",
                    reason="node_full",
                ) from error
            raise
        return tree

    def _fill(self, tree: Path, entries: Sequence[Entry], places: dict[str, Location], store: ObjectStore) -> None:
        # Every file of a version passes here: paths are text, for `Path` costs more than making a link.
        root, folders = str(tree), {""}
        tree.mkdir()
        missing: dict[tuple[str, int], list[Entry]] = {}
        for entry in entries:
            folder = entry.path.rpartition("/")[0]
            if folder not in folders:
                os.makedirs(f"{root}/{folder}", exist_ok=True)
                while folder not in folders:
                    folders.add(folder)
                    folder = folder.rpartition("/")[0]
            if not _link(self._file(entry), f"{root}/{entry.path}"):
                missing.setdefault((entry.sha256, entry.mode), []).append(entry)
        for start in {digest[:2] for digest, _ in missing}:
            (self.root / "files" / start).mkdir(exist_ok=True)
        # In the order they lie in the packs.
        order = sorted(missing.values(), key=lambda same: _position(same[0], places))
        small = [same for same in order if same[0].size <= SMALL]
        with (
            Ahead(store, (place for same in small for place in _runs(same[0], places))) as ahead,
            ThreadPoolExecutor(LARGE_AT_ONCE, "large-files") as pool,
        ):
            # First the small ones: threads that fetch large ones would take the interpreter from them at each call.
            for same in small:
                self._make(root, same, places, (ahead, store))
            flights = [
                pool.submit(self._make, root, same, places, (store, store)) for same in order if same[0].size > SMALL
            ]
            try:
                for flight in flights:
                    flight.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for folder in folders - {""}:
            Path(root, folder).chmod(0o555)

    def _make(
        self, root: str, same: list[Entry], places: dict[str, Location], sources: tuple[Ahead | ObjectStore, ...]
    ) -> None:
        """Write one content, keep it, and lay it wherever it belongs."""
        first = f"{root}/{same[0].path}"
        _write(first, same[0], places, sources)
        with suppress(FileExistsError):
            os.link(first, self._file(same[0]))
        for entry in same[1:]:
            if not _link(first, f"{root}/{entry.path}"):
                _copy(first, f"{root}/{entry.path}", entry.mode)

    def _file(self, entry: Entry) -> str:
        return f"{self.root}/files/{entry.sha256[:2]}/{entry.sha256}-{entry.mode:o}"

    def release(self, holder: str) -> None:
        """End every pin of `holder`."""
        for pin in (self.root / "pins").glob(f"*/{escape(quote(holder, safe=''))}"):
            pin.unlink(missing_ok=True)

    def holders(self) -> set[str]:
        """Return everybody who pins something, to be compared with who is still there."""
        return {unquote(pin.name) for pin in (self.root / "pins").glob("*/*")}

    def evict(self, *, need: int = 0) -> None:
        """Remove versions nobody pins, the longest unused first, until `need` more bytes fit in limit and disk."""
        for left in (self.root / "tmp").iterdir():
            version_id = left.name.partition(".")[0]
            with self.try_lock(version_id) as free:
                if free:
                    _remove_tree(left)
        trees = sorted((self.root / "versions").iterdir(), key=_used)
        while self._drop_loose(need):
            if not trees:
                return
            self._drop_tree(trees.pop(0))

    def _drop_loose(self, need: int) -> bool:
        """Remove files no tree has, as far as room is needed; tell whether still too much is kept."""
        kept = 0
        loose: list[tuple[float, int, str]] = []
        for folder in os.scandir(self.root / "files"):
            for file in os.scandir(folder):
                with suppress(FileNotFoundError):
                    found = file.stat()
                    kept += found.st_size
                    if found.st_nlink == 1:
                        loose.append((found.st_mtime, found.st_size, file.path))
        limit = min(self._limit, kept + shutil.disk_usage(self.root).free)
        for _, size, path in sorted(loose):
            if kept + need <= limit:
                break
            with suppress(FileNotFoundError):
                os.unlink(path)
            kept -= size
        return kept + need > limit

    def _drop_tree(self, tree: Path) -> None:
        with self.try_lock(tree.name) as free:
            pins = self.root / "pins" / tree.name
            if not free or (pins.exists() and any(pins.iterdir())):
                return
            going = self.root / "tmp" / f"{tree.name}.{new_id()}"
            tree.chmod(0o755)
            os.rename(tree, going)
            _remove_tree(going)
            with suppress(OSError):
                pins.rmdir()


def _used(tree: Path) -> float:
    try:
        return tree.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _position(entry: Entry, places: dict[str, Location]) -> tuple[str, int]:
    place = places.get(entry.chunks[0][0]) if entry.chunks else None
    return (place.object_id, place.offset) if place else ("", 0)


def _link(source: str, target: str) -> bool:
    """Link `target` to `source`; tell whether it could be: there is a source, and it takes one more link."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.EMLINK:  # ext4 takes 65,000 links to one file
            return False
        raise
    return True


def _copy(source: str, target: str, mode: int) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, mode & 0o555)


def _runs(entry: Entry, places: dict[str, Location]) -> list[Location]:
    """Return where a file lies; empty if a part of it is nowhere, which is said when it is its turn."""
    found = [places.get(digest) for digest, _ in entry.chunks]
    return list(runs(place for place in found if place is not None)) if None not in found else []


def _write(target: str, entry: Entry, places: dict[str, Location], sources: tuple[Ahead | ObjectStore, ...]) -> None:
    for store in sources:  # what is wrong is read once more: it may have been the way to us
        seen = hashlib.sha256()
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for place in runs([places[digest] for digest, _ in entry.chunks]):
                for piece in store.stream(place.key, offset=place.offset, size=place.size):
                    seen.update(piece)
                    written = os.write(file, piece)
                    while written < len(piece):  # the disk is nearly full, perhaps
                        written += os.write(file, memoryview(piece)[written:])
            if seen.hexdigest() == entry.sha256:
                os.fchmod(file, entry.mode & 0o555)
                return
        except (KeyError, ObjectMissing) as error:
            raise _damaged(entry) from error
        finally:
            os.close(file)
    raise _damaged(entry)


def _damaged(entry: Entry) -> Damaged:
    return Damaged(f"The store cannot give '{shown(entry.path)}' back whole: tell an admin to run `pumpkin fsck`.")


def _remove_tree(tree: Path) -> None:
    for folder, _, _ in os.walk(tree):
        with suppress(FileNotFoundError):
            Path(folder).chmod(0o755)
    shutil.rmtree(tree, ignore_errors=True)
