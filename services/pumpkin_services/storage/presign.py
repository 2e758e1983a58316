"""Presigned S3 requests with signed headers (AWS Signature Version 4, "authenticating requests: query parameters").

`minio` signs URLs without headers only; a target must be bound to a size and a checksum.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

UNRESERVED = "-_.~"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Key(Protocol):
    """What a request is signed with; `minio`'s credentials are such."""

    @property
    def access_key(self) -> str:
        """Its public part."""
        ...

    @property
    def secret_key(self) -> str:
        """What signs."""
        ...

    @property
    def session_token(self) -> str | None:
        """Of a temporary key, what goes along."""
        ...


def presign(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    region: str,
    credentials: Key,
    now: datetime,
    seconds: int,
    query: Mapping[str, str] | None = None,
) -> str:
    """Return `url` signed for `method` with exactly these `headers` (lower case), good for `seconds` from `now`.

    All of `url` behind the host is the path, as it is meant, not encoded; `query` is added.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    host = host.removesuffix(DEFAULT_PORTS.get(scheme, "-"))
    path = quote(slash + path, safe="/" + UNRESERVED)
    signed = {**headers, "host": host}
    names = ";".join(sorted(signed))
    date = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    asked = {
        **(query or {}),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": names,
    }
    if credentials.session_token:
        asked["X-Amz-Security-Token"] = credentials.session_token
    text = "&".join(f"{name}={quote(value, safe=UNRESERVED)}" for name, value in sorted(asked.items()))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"{method}\n{path}\n{text}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (date[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}".encode(), "sha256").hex()
    return f"{scheme}://{host}{path}?{text}&X-Amz-Signature={signature}"
