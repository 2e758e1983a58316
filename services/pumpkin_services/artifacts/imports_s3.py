"""What lies below a prefix of an S3 bucket elsewhere, as a tar stream: presigned GETs behind the guard of all imports.

The credentials are given for one import. Until it is over they are kept with it, sealed by a key of the platform's own;
then they are forgotten. They are in no answer, log or audit line; a signed URL is good for minutes and shown to nobody.
"""

from __future__ import annotations

import asyncio
import json
import re
import tarfile
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree

import httpcore
from pydantic import ValidationError

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.archives import MAX_ENTRIES
from pumpkin_services.artifacts.imports_fetch import Progress, too_large
from pumpkin_services.artifacts.outward import Answer, Outward, Refused
from pumpkin_services.problems import Invalid, TooLarge
from pumpkin_services.storage.presign import presign

SCHEME = "s3://"
SIGNED_SECONDS = 300
SMALL = 1 << 20
"""Bytes of an object up to which it is fetched ahead, and as a whole."""
AHEAD = 16
"""Objects on their way at once: with small ones at most 16 MiB."""
TRIES = 3
LISTING = 16 << 20
"""Bytes a page of a list may have."""
_BUCKET = re.compile(r"(?!\.)[A-Za-z0-9._-]{3,63}(?<!\.)")


def place(outward: Outward, request: wire.ImportRequest) -> str:
    """Return where an import of `s3://bucket/prefix` is from, as an http URL.

    Raises:
        Invalid: if the server may not be reached, or the parts of the request do not go together.
    """
    if request.s3 is None:
        raise Invalid("Of s3:// the server is needed, too, and most often a key: give them as `s3`.", field="s3")
    if request.format not in (None, "s3") or request.ref:
        raise Invalid("What lies below an S3 prefix has no format and no branch: leave both out.", field="format")
    bucket, _, prefix = request.url.removeprefix(SCHEME).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise Invalid("After s3:// comes the bucket's name, then its prefix.", field="url", reason="bad_url")
    try:
        server = outward.check(request.s3.endpoint)
    except Invalid as error:
        raise Invalid(error.detail, field="s3.endpoint", reason=error.reason) from error
    if server.path != "/":
        raise Invalid("The address of an S3 server has no path: name the bucket in the URL.", field="s3.endpoint")
    return f"{server.origin}/{bucket}/{quote(prefix.strip('/'))}"


def _box(key: bytes) -> Any:
    from cryptography.fernet import Fernet  # loaded only where it is needed: it is large

    return Fernet(key)


def seal(key: bytes, access: wire.S3Access) -> str:
    """Return the access to a server in a form only this platform reads, fit for a URL's query."""
    secrets = {name: getattr(access, name).get_secret_value() for name in ("access_key", "secret_key", "session_token")}
    return _box(key).encrypt(json.dumps(access.model_dump() | secrets).encode()).decode()


def unseal(key: bytes, sealed: str) -> wire.S3Access:
    """Return what was sealed; raise `Invalid` if the platform has another key by now."""
    from cryptography.fernet import InvalidToken

    try:
        return wire.S3Access.model_validate_json(_box(key).decrypt(sealed.encode()))
    except (InvalidToken, ValidationError) as error:
        raise Invalid("The key for the S3 server cannot be read any more: begin the import again.") from error


@dataclass(frozen=True, slots=True)
class Found:
    """An object below the prefix: `name` is the rest of its key."""

    name: str
    size: int


async def prefix_tar(
    outward: Outward, url: str, access: wire.S3Access, at: Progress, *, limit: int
) -> AsyncGenerator[bytes]:
    """Iterate over a tar archive of all objects below `url` (see `place`).

    Raises:
        Invalid: if the server cannot be reached or refuses the key, or an object changes meanwhile.
        TooLarge: for more than `limit` bytes, known before any is fetched, or too many objects.
    """
    async with (
        outward.pool() as shared,
        aclosing(_archive(_Prefix(outward, shared, url, access), at, limit=limit)) as pieces,
    ):
        async for piece in pieces:
            yield piece


async def _archive(prefix: _Prefix, at: Progress, *, limit: int) -> AsyncGenerator[bytes]:
    found = await prefix.list()
    at.total = sum(item.size for item in found)
    if at.total > limit:
        raise too_large(limit)
    waiting = deque[tuple[Found, asyncio.Task[bytes] | None]]()
    rest = iter(found)
    try:
        while True:
            for item in islice(rest, AHEAD - len(waiting)):
                waiting.append((item, asyncio.create_task(prefix.read(item)) if item.size <= SMALL else None))
            if not waiting:
                break
            item, task = waiting.popleft()
            header = tarfile.TarInfo(item.name)
            header.size = item.size
            yield header.tobuf(tarfile.PAX_FORMAT)
            if task is not None:
                data = await task
                at.add(len(data), limit=limit)
                yield data
            else:
                async with aclosing(prefix.pieces(item)) as pieces:
                    async for piece in pieces:
                        at.add(len(piece), limit=limit)
                        yield piece
            yield bytes(-item.size % tarfile.BLOCKSIZE)
    finally:
        ahead = [task for _, task in waiting if task is not None]
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
    yield bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, kw_only=True, repr=False)
class _Key:
    access_key: str
    secret_key: str
    session_token: str | None


class _Prefix:
    def __init__(self, outward: Outward, shared: httpcore.AsyncConnectionPool, url: str, access: wire.S3Access) -> None:
        self._outward = outward
        self._shared = shared
        self._access = access
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._bucket, _, prefix = unquote(parts.path).removeprefix("/").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._shown = f"{SCHEME}{self._bucket}/{prefix}"

    async def list(self) -> list[Found]:
        """Return everything below the prefix, in the server's order; what only marks a folder is left out."""
        found: list[Found] = []
        query = {"list-type": "2", "max-keys": "1000", "prefix": self._prefix}
        while True:
            page = await self._page(query)
            for item in page.iter("Contents"):
                key, size = item.findtext("Key") or "", item.findtext("Size") or ""
                if not key.startswith(self._prefix) or not size.isdecimal():
                    self._odd()
                if not (key.endswith("/") and size == "0") and key != self._prefix:
                    found.append(Found(key.removeprefix(self._prefix), int(size)))
            if len(found) > MAX_ENTRIES:
                raise TooLarge(f"There are more than {MAX_ENTRIES} objects below '{self._shown}'.", field="url")
            if page.findtext("IsTruncated") != "true":
                break
            following = page.findtext("NextContinuationToken")
            if not following or following == query.get("continuation-token"):
                self._odd()
            query["continuation-token"] = following
        if not found:
            raise Invalid(f"There is nothing below '{self._shown}': check bucket and prefix.", field="url")
        return found

    async def read(self, item: Found) -> bytes:
        """Return a small object, asked for again when something breaks on the way."""
        for attempt in range(TRIES):
            try:
                async with aclosing(self.pieces(item)) as pieces:
                    return b"".join([piece async for piece in pieces])
            except Invalid as error:
                if error.reason != "fetch_failed" or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(0.5 * 2**attempt)
        raise AssertionError("unreachable: the last try returns or raises")

    async def pieces(self, item: Found) -> AsyncGenerator[bytes]:
        """Iterate over an object, which must be as long as the list said."""
        left = item.size
        async with self._get(self._prefix + item.name, {}) as answer:
            async for piece in answer.body:
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        if left:
            raise Invalid(
                f"'{self._shown}/{item.name}' changed while it was imported: import it again.",
                field="url",
                reason="changed_meanwhile",
            )

    async def _page(self, query: Mapping[str, str]) -> ElementTree.Element:
        body = bytearray()
        async with self._get("", query) as answer:
            async for piece in answer.body:
                body += piece
                if len(body) > LISTING:
                    self._odd()
        try:
            text = body.decode()
            if "<!" in text:  # no list has a document type, which could grow without end
                self._odd()
            root = ElementTree.fromstring(text)
        except (UnicodeError, ElementTree.ParseError):
            self._odd()
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    @asynccontextmanager
    async def _get(self, key: str, query: Mapping[str, str]) -> AsyncGenerator[Answer]:
        try:
            async with self._outward.get(self._signed(key, query), shared=self._shared) as answer:
                yield answer
        except Refused as error:
            what = {
                403: "refuses the key: check access key, secret key and region, and what the key may read",
                404: "has no such bucket or object: check the URL",
            }.get(error.answered, f"answers {error.answered}: check the address of the server and the region")
            raise Invalid(
                f"The S3 server, asked for '{self._shown}', {what}.", field="url", reason="refused"
            ) from error

    def _signed(self, key: str, query: Mapping[str, str]) -> str:
        access, where = self._access, f"{self._origin}/{self._bucket}" + (f"/{key}" if key else "")
        if not access.access_key.get_secret_value():
            path = quote(where.removeprefix(self._origin), safe="/-_.~")
            return f"{self._origin}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        credentials = _Key(
            access_key=access.access_key.get_secret_value(),
            secret_key=access.secret_key.get_secret_value(),
            session_token=access.session_token.get_secret_value() or None,
        )
        now = datetime.now(UTC)
        return presign(
            "GET", where, headers={}, region=access.region, credentials=credentials, now=now, seconds=SIGNED_SECONDS,
            query=query,
        )  # fmt: skip

    def _odd(self) -> NoReturn:
        raise Invalid(
            f"What answers at {self._origin} does not list objects as S3 does: check the server's address.",
            field="s3.endpoint",
            reason="fetch_failed",
        )
