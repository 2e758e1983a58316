"""The folders environments are built into: made whole elsewhere, renamed into place, read-only from then on.

Layout below `<data>/environments`: `prefixes/<digest>` (whole by construction), `work/<claim>` (builds in
progress), `logs/<version id>.log`, `cache` (uv's own; prefixes hard-link into it).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

MARKER = "pumpkin-environment.json"


class Prefixes:
    """Where everything is. The methods block: call them in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefixes, self.work, self.logs = root / "prefixes", root / "work", root / "logs"
        self.cache = root / "cache"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.prefixes, self.work, self.logs, self.cache):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)

    def prefix(self, digest: str) -> Path:
        """Return where the prefix with this digest lives, or would."""
        return self.prefixes / digest[:32]

    def log(self, version_id: str) -> Path:
        """Return where a version's build log lives, or would."""
        return self.logs / f"{version_id}.log"

    def size(self, digest: str) -> int | None:
        """Return the bytes of a whole prefix; None when there is none."""
        if not (self.prefix(digest) / "bin/python").exists():
            return None
        try:
            return int(json.loads((self.prefix(digest) / MARKER).read_bytes())["bytes"])
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
            return None

    def publish(self, built: Path, *, digest: str) -> int:
        """Make a finished folder the prefix of `digest` and return its bytes; nobody ever sees it half done.

        A prefix that is already there stays: the same lock makes the same contents.
        """
        size = _seal(built)
        marker = built / MARKER
        marker.write_text(json.dumps({"digest": digest, "bytes": size}))
        marker.chmod(0o444)
        os.sync()
        target = self.prefix(digest)
        try:
            built.rename(target)
        except OSError:
            if self.size(digest) is None:
                raise
        else:
            _close(target)
        return size

    def remove(self, folder: Path, *, aside: str) -> None:
        """Remove a folder of any kind; a prefix is moved out of sight first, so that it is never half there."""
        if folder.parent == self.prefixes:
            away = self.work / aside
            try:
                folder.chmod(0o755)
                folder.rename(away)
            except FileNotFoundError:
                return
            folder = away
        if folder.exists():
            _open(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _seal(folder: Path) -> int:
    """Take the write bits from everything below `folder`, shared by every workload, and return the bytes of its files.

    `folder` itself stays writable until it is in place: renaming a folder needs that.
    """
    total = 0
    for parent, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode):
                total += found.st_size
                os.chmod(path, stat.S_IMODE(found.st_mode) & ~0o222)
        for name in folders:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                os.chmod(path, 0o555)  # noqa: S103 workloads of every user read it
    return total


def _close(folder: Path) -> None:
    folder.chmod(0o555)


def _open(folder: Path) -> None:
    folder.chmod(0o755)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755)  # noqa: S103 on its way out
