"""What an import is made from: the format of a URL, and its bytes within the limits, counted as they come."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.outward import Outward, Target
from pumpkin_services.artifacts.tables import ImportRow
from pumpkin_services.problems import Invalid, TooLarge

SUFFIXES = {
    ".zip": "zip", ".git": "git", ".tar": "tar", ".tgz": "tar", ".tbz2": "tar", ".txz": "tar", ".tzst": "tar",
    ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar", ".tar.zst": "tar",
}  # fmt: skip


@dataclass
class Progress:
    """How far an import is, in bytes: what is fetched, then how much of the archive is unpacked.

    `commit` is there once it is known which one is fetched.
    """

    state: Literal["fetching", "unpacking"] = "fetching"
    fetched: int = 0
    total: int | None = None
    commit: str | None = None
    unpacked: int = 0
    archive: int = 0

    @property
    def present(self) -> dict[str, object]:
        """The columns of an import's row while it goes on."""
        unpacking = {"fetched": self.unpacked, "total": self.archive} if self.state == "unpacking" else {}
        return {"state": self.state, **self.values, **unpacking}

    @property
    def values(self) -> dict[str, object]:
        """The columns of an import's row once it is over."""
        known = {"commit_id": self.commit} if self.commit else {}
        return {"fetched": self.fetched, "total": self.total, **known}

    def add(self, size: int, *, limit: int) -> None:
        """Count bytes; raise `TooLarge` once there are more than `limit`."""
        self.fetched += size
        if self.fetched > limit:
            raise too_large(limit)

    def unpack(self, size: int, of: int) -> None:
        """Count bytes of the archive, which has `of`."""
        self.state, self.archive = "unpacking", of
        self.unpacked = min(self.unpacked + size, of)


def too_large(limit: int) -> TooLarge:
    """Return what to tell about an import over the limit."""
    return TooLarge(
        f"It is larger than {limit} bytes, the most that is imported here: push it, or ask an admin to raise "
        "`c.Platform.import_bytes`.",
        field="url",
    )


def format_of(target: Target, request: wire.ImportRequest) -> str:
    """Return the format of an import: as asked for, else by the name in the URL.

    Raises:
        Invalid: if it cannot be told, or does not go with the rest.
    """
    path = target.path.partition("?")[0].lower()
    by_name = next((kind for suffix, kind in SUFFIXES.items() if path.endswith(suffix)), None)
    chosen = request.format or ("git" if request.ref else by_name)
    if chosen is None:
        raise Invalid(
            "The URL does not tell what it is: choose the format zip, tar, git or file (one file, kept as it is).",
            field="format",
        )
    if request.ref and chosen != "git":
        raise Invalid("Only a git repository has a branch, tag or commit: leave it out.", field="ref")
    if chosen == "git" and "?" in target.path:
        raise Invalid("The URL of a git repository has no '?': leave that out.", field="url", reason="bad_url")
    if chosen == "file" and not file_name(target.url):
        raise Invalid("The URL names no file, only a folder: name one file.", field="url", reason="bad_url")
    return chosen


def file_name(url: str) -> str:
    """Return what a file at `url` is called."""
    return unquote(posixpath.basename(urlsplit(url).path))


def archive_format(chosen: str) -> Literal["zip", "tar", "file"]:
    """Return how the bytes of an import are packed; a git tree and an S3 prefix come as tar."""
    return "zip" if chosen == "zip" else "file" if chosen == "file" else "tar"


async def download(outward: Outward, row: ImportRow, at: Progress, *, limit: int) -> AsyncGenerator[bytes]:
    """Iterate over what is at the import's URL."""
    async with outward.get(row.url) as answer:
        if answer.encoding and row.format == "file":
            # Asked for plain bytes; unpacking what comes instead would be one more place for a bomb.
            raise Invalid(f"'{answer.target.shown}' comes packed with {answer.encoding}: import it as an archive.")
        if answer.length is not None and answer.length > limit:
            raise too_large(limit)
        at.total = answer.length
        async for piece in answer.body:
            at.add(len(piece), limit=limit)
            yield piece
