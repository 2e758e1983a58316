"""The S3 store: each object is written by one request, so it is there whole or not at all.

Through `minio`, in worker threads. Passing trouble (time-outs, 5xx, a body cut short) is tried again with growing
pauses; what remains is a `Problem` that says what to do.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider, Provider, StaticProvider
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from pumpkin_services.problems import Conflict, Problem, StorageFull, Unavailable
from pumpkin_services.storage.base import KEY, ObjectMissing, SignedPut, Sink, StoredObject, storage_problems
from pumpkin_services.storage.cors import with_rule
from pumpkin_services.storage.presign import presign
from pumpkin_services.storage.settings import S3
from pumpkin_services.storage.signed import Signer

log = logging.getLogger("pumpkin.storage")
PIECE = 1 << 20
SPOOL = 4 << 20
"""Bytes of an object being written that are kept in memory; more go to a temporary file."""
TRIES = 6
"""How often a request, or the rest of a body, is asked for before giving up: about twelve seconds of pauses."""
OWN_LIFETIME = 900
"""Seconds the service gives its own PUTs."""
PASSING = frozenset({500, 502, 503, 504})
MISSING = frozenset({"NoSuchKey", "InvalidRange"})
FULL = frozenset({"InsufficientStorage", "NoSpaceLeftOnDevice", "QuotaExceeded", "XMinioStorageFull"})
DAMAGED = frozenset({"BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody", "RequestTimeout"})
"""What a store says of a body that did not arrive as it was sent."""
REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"})


class S3Store:
    """An `ObjectStore` in one bucket.

    `base_url` is the path of our API and `secret` signs URLs of it, for clients that reach the store through us.
    """

    def __init__(self, settings: S3, *, base_url: str, secret: bytes) -> None:
        self.signer = Signer(base_url=base_url, secret=secret)
        self._bucket, self._region = settings.bucket, settings.region
        self._prefix = settings.prefix.strip("/") + "/" if settings.prefix.strip("/") else ""
        self._endpoint = settings.endpoint.rstrip("/")
        self._public = settings.client_endpoint
        self._settings = settings
        self._credentials = _credentials(settings)
        again = urllib3.Retry(
            TRIES - 1,
            backoff_factor=0.2,
            status_forcelist=PASSING,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        self._pool = urllib3.PoolManager(
            maxsize=32, timeout=urllib3.Timeout(connect=5.0, read=settings.timeout), retries=again
        )
        endpoint = urlsplit(self._endpoint)
        self._client = Minio(
            endpoint.netloc,
            credentials=self._credentials,
            secure=endpoint.scheme == "https",
            region=self._region,
            http_client=self._pool,
        )

    @property
    def page_target(self) -> str:
        """Return the origin of the store; see `ObjectStore.page_target`."""
        where = urlsplit(self._public)
        return f"{where.scheme}://{where.netloc}" if self._public and self._settings.browser_origins else ""

    def admits(self, origin: str) -> bool:
        """Tell whether the configuration names this origin; see `ObjectStore.admits`."""
        return self._settings.admits(origin)

    def open(self) -> None:
        """Make the bucket if it is not there, and its rule for pages; see `ObjectStore.open`."""
        with self._problems():
            if not self._client.bucket_exists(self._bucket):
                self._client.make_bucket(self._bucket)
        if self.page_target:
            try:
                self._let_pages_in()
            except (HTTPError, MinioException, ElementTree.ParseError) as error:
                log.warning(
                    "the bucket takes no CORS rule: pages send through us unless it lets them in by itself: %s", error
                )

    def _let_pages_in(self) -> None:
        found = self.cors("GET")
        if found.status not in (200, 404):
            raise _refusal(found)
        before = found.data if found.status == 200 else None
        after = with_rule(before, self._settings.browser_origins)
        if after != before:
            answer = self.cors("PUT", after)
            if answer.status not in (200, 204):
                raise _refusal(answer)

    def cors(self, method: str, body: bytes = b"") -> urllib3.BaseHTTPResponse:
        """GET or PUT the bucket's CORS configuration; return the answer, whatever it is."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = {"content-md5": digest} if body else {}
        where = f"{self._endpoint}/{self._bucket}"
        url = self._sign(where, method, headers, OWN_LIFETIME, query={"cors": ""})
        return self._pool.request(method, url, body=body or None, headers=headers, retries=False)

    # -- writing ----------------------------------------------------------------------------------------------

    @contextmanager
    def create(self, key: str) -> Generator[Sink]:
        """Write an object; see `ObjectStore.create`."""
        with storage_problems(), tempfile.SpooledTemporaryFile(max_size=SPOOL) as file:
            sink = _Hashing(file)
            yield sink
            size = file.tell()
            file.seek(0)
            self._put(key, file, size=size, sha256=sink.seen.hexdigest())

    def _put(self, key: str, file: IO[bytes], *, size: int, sha256: str) -> None:
        target = self._signed_put(self._endpoint, key, size=size, sha256=sha256, seconds=OWN_LIFETIME, new=True)
        headers = target.headers | {"content-length": str(size)}
        for attempt in range(TRIES):
            try:
                # Tried again here and not by urllib3, which would write the signed URL into the log.
                answer = self._pool.request("PUT", target.url, body=file, headers=headers, retries=False)
            except HTTPError as error:
                problem, unheard = self._away(error), True
            else:
                if answer.status in (200, 201):
                    return
                error = _refusal(answer)
                code = error.code if isinstance(error, S3Error) else ""
                if answer.status not in PASSING and answer.status != 412 and code not in DAMAGED:
                    raise self._problem(error)
                problem, unheard = self._away(error), answer.status == 412
            if unheard and self._has(key, sha256):
                return
            if attempt == TRIES - 1:
                raise problem
            file.seek(0)
            time.sleep(_pause(attempt))

    def _has(self, key: str, sha256: str) -> bool:
        """Tell whether a try whose answer was lost has written the object; raise `Conflict` if there is another."""
        if self.stat(key) is None:
            return False
        if self.checksum(key) != sha256:
            raise Conflict("There is another object under this key already.", reason="object_exists")
        return True

    def delete(self, key: str) -> None:
        """Remove an object; that it is not there is no error."""
        with self._problems():
            try:
                self._client.remove_object(self._bucket, self._name(key))
            except S3Error as error:
                if error.code not in MISSING:
                    raise

    def sweep(self, *, before: datetime) -> int:
        """Return 0: an object is one request, a broken one leaves nothing."""
        return 0

    # -- reading ----------------------------------------------------------------------------------------------

    def read(self, key: str, *, offset: int = 0, size: int | None = None) -> bytes:
        """Return bytes of an object; see `ObjectStore.read`."""
        return b"".join(self.stream(key, offset=offset, size=size))

    def stream(self, key: str, *, offset: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Iterate over bytes of an object; see `ObjectStore.stream`. A body that breaks is taken up where it broke."""
        if size == 0 and self.stat(key) is None:
            raise ObjectMissing(key)
        position, left, failures = offset, size, 0
        while left is None or left > 0:
            try:
                with self._get(key, position, left) as (answer, promised):
                    left = promised if left is None else left
                    for piece in answer.stream(PIECE):
                        position += len(piece)
                        left -= len(piece)
                        failures = 0
                        yield piece
                if promised == 0:
                    return
                if left > 0:
                    raise ObjectMissing(f"{key} ends {left} bytes too early")
            except HTTPError as error:
                failures += 1
                if failures >= TRIES:
                    raise self._away(error) from error
                log.warning("%s broke at byte %s, taking it up there: %s", key, position, error)
                time.sleep(_pause(failures))

    @contextmanager
    def _get(self, key: str, offset: int, size: int | None) -> Generator[tuple[urllib3.BaseHTTPResponse, int]]:
        """Open a part of an object; yield the answer and how many bytes it promises, never more than `size`."""
        with self._problems():
            answer = self._client.get_object(self._bucket, self._name(key), offset=offset, length=size or 0)
        whole = False
        try:
            promised = int(answer.headers.get("Content-Length", "-1"))
            ranged = offset > 0 or size is not None
            if promised < 0 or (ranged and answer.status != 206) or (size is not None and promised > size):
                raise Unavailable(
                    f"The object store at {self._endpoint} does not answer ranges as S3 does: tell an admin.",
                    reason="storage_unavailable",
                )
            yield answer, promised
            whole = True
        finally:
            if not whole:
                answer.close()  # what is left of the body must not be taken for the next answer
            answer.release_conn()

    def stat(self, key: str) -> StoredObject | None:
        """Describe an object, or return None."""
        found = self._head(key)
        if found is None:
            return None
        return StoredObject(key=key, size=found.size or 0, modified=_utc(found.last_modified))

    def checksum(self, key: str) -> str | None:
        """Return the SHA-256 the store found of an object; see `ObjectStore.checksum`."""
        found = self._head(key)
        value = found.metadata.get("x-amz-checksum-sha256") if found is not None and found.metadata else None
        return None if value is None else _unbase64(value)

    def _head(self, key: str) -> Any:
        with self._problems():
            try:
                return self._client.stat_object(
                    self._bucket, self._name(key), extra_headers={"x-amz-checksum-mode": "ENABLED"}
                )
            except S3Error as error:
                if error.code not in MISSING:
                    raise
        return None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Iterate over the objects whose key begins with `prefix`."""
        with self._problems():
            for found in self._client.list_objects(self._bucket, prefix=self._prefix + prefix, recursive=True):
                key = (found.object_name or "").removeprefix(self._prefix)
                if KEY.fullmatch(key):
                    yield StoredObject(key=key, size=found.size or 0, modified=_utc(found.last_modified))

    def room(self) -> tuple[int, int] | None:
        """Return None: S3 does not tell."""
        return None

    # -- letting others in ------------------------------------------------------------------------------------

    def presign_put(
        self, key: str, *, size: int, sha256: str | None, expires: datetime, once: bool = False
    ) -> SignedPut:
        """Return a target for one PUT; see `ObjectStore.presign_put`."""
        if not self._public or (sha256 is None and not once):
            return SignedPut(url=self.signer.url("PUT", key, size=size, expires=expires))
        return self._signed_put(
            self._public, key, size=size, sha256=sha256, seconds=_seconds(expires), new=sha256 is None
        )

    def presign_get(self, key: str, *, expires: datetime) -> str:
        """Return a URL that answers GET, ranges included, until `expires`."""
        if not self._public:
            return self.signer.url("GET", key, expires=expires)
        return self._sign(self._place(self._public, key), "GET", {}, _seconds(expires))

    def _signed_put(
        self, endpoint: str, key: str, *, size: int, sha256: str | None, seconds: int, new: bool = False
    ) -> SignedPut:
        headers = {"x-amz-checksum-sha256": _base64(sha256)} if sha256 else {}
        headers |= {"if-none-match": "*"} if new else {}
        signed = headers | {"content-length": str(size)}
        return SignedPut(url=self._sign(self._place(endpoint, key), "PUT", signed, seconds), headers=headers)

    def _place(self, endpoint: str, key: str) -> str:
        return f"{endpoint}/{self._bucket}/{self._name(key)}"

    def _sign(
        self, url: str, method: str, headers: dict[str, str], seconds: int, *, query: dict[str, str] | None = None
    ) -> str:
        return presign(
            method,
            url,
            headers=headers,
            region=self._region,
            credentials=self._credentials.retrieve(),
            now=datetime.now(UTC),
            seconds=seconds,
            query=query,
        )

    def _name(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise ObjectMissing(key)
        return self._prefix + key

    # -- trouble ----------------------------------------------------------------------------------------------

    @contextmanager
    def _problems(self) -> Generator[None]:
        """Turn what the store answers, or that it does not, into `ObjectMissing` and problems."""
        try:
            yield
        except (S3Error, ServerError, InvalidResponseError) as error:
            raise self._problem(error) from error
        except (HTTPError, MinioException) as error:
            raise self._away(error) from error

    def _problem(self, error: MinioException) -> Exception:
        code = error.code if isinstance(error, S3Error) else ""
        if code in MISSING:
            return ObjectMissing(str(error))
        if code in FULL or getattr(error, "status_code", None) == 507:
            return StorageFull("The object store is full, nothing of this was kept: tell an admin.")
        if code in REFUSED:
            log.error("the object store refuses our key: %s", error)
            return self._unavailable("refuses the platform's key: an admin should look at c.S3")
        if code == "NoSuchBucket":
            return self._unavailable(f"has no bucket '{self._bucket}': an admin should look at c.S3.bucket")
        return self._away(error)

    def _away(self, error: Exception) -> Problem:
        log.warning("the object store is not well: %s", error)
        return self._unavailable("does not answer right now: try again in a minute, or tell an admin")

    def _unavailable(self, what: str) -> Problem:
        return Unavailable(f"The object store {what}.", reason="storage_unavailable")


class _Hashing:
    """Writes to a file and hashes what goes by."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seen = hashlib.sha256()
        self._file = file

    def write(self, data: bytes, /) -> object:
        self.seen.update(data)
        return self._file.write(data)


def _credentials(settings: S3) -> Provider:
    if settings.credentials_file:
        return AWSConfigProvider(settings.credentials_file, "default")
    return StaticProvider(settings.access_key, settings.secret_key)


def _refusal(answer: urllib3.BaseHTTPResponse) -> S3Error | ServerError:
    try:
        return S3Error.fromxml(answer)
    except Exception:  # whatever an XML parser may say of something that is none
        return ServerError(f"server failed with HTTP status code {answer.status}", answer.status)


def _pause(attempt: int) -> float:
    return 0.2 * 2**attempt


def _seconds(expires: datetime) -> int:
    return max(1, round((expires - datetime.now(UTC)).total_seconds()))


def _utc(when: datetime | None) -> datetime:
    return (when or datetime.now(UTC)).astimezone(UTC)


def _base64(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()


def _unbase64(value: str) -> str:
    return base64.b64decode(value).hex()
