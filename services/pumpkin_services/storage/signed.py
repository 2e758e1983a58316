"""Signed URLs of our own API (`storage.api`): good for one method, key, size and time."""

from __future__ import annotations

import hmac
import time
from datetime import datetime
from urllib.parse import urlencode

from pumpkin_services.problems import Forbidden


class Signer:
    """Signs URLs below `base_url` (`/services/pumpkin/api/v1`) with `secret`, and checks them."""

    def __init__(self, *, base_url: str, secret: bytes) -> None:
        self._base_url = base_url.rstrip("/")
        self._secret = secret

    def url(self, method: str, key: str, *, size: int = 0, expires: datetime) -> str:
        """Return the URL of one request; `size` is how many bytes a PUT must have."""
        until = int(expires.timestamp())
        query = {"expires": until, "size": size, "signature": self._sign(method, key, size, until)}
        return f"{self._base_url}/objects/{key}?{urlencode(query)}"

    def check(self, method: str, key: str, *, size: int, expires: int, signature: str) -> None:
        """Raise `Forbidden` unless exactly this request was signed here and has not expired."""
        if not hmac.compare_digest(self._sign(method, key, size, expires).encode(), signature.encode()):
            raise Forbidden("The signature of this URL is not right: ask for a new one.", reason="bad_signature")
        if expires < time.time():
            raise Forbidden("This URL has expired: ask for a new one.", reason="expired_signature")

    def _sign(self, method: str, key: str, size: int, until: int) -> str:
        return hmac.digest(self._secret, f"{method}\n{key}\n{size}\n{until}".encode(), "sha256").hex()
