# Made from pumpkin/_async/tokens.py by `make models`; change that file, not this one.
"""The caller's personal tokens."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from pumpkin import _models as models
from pumpkin._sync.transport import Transport

MODULES = ("datasets", "algorithms", "models", "images", "workloads", "resources", "accounts", "billing")
READ_ONLY = tuple(f"{module}:read" for module in MODULES)
"""Scopes of a token that looks at everything and changes nothing."""
CI = ("workloads:write", "datasets:read", "algorithms:write", "models:read", "images:read", "resources:read")
"""Scopes of a token that uploads code and submits jobs."""


class Tokens:
    """Tokens for scripts: each may do no more than the one it is made with, and lasts no longer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[models.Token]:
        """Return the caller's tokens, newest first, without their secrets."""
        return (self._transport.get(models.Tokens, "/accounts/tokens")).items

    def create(self, note: str, scopes: Sequence[str], *, lifetime: int | None = None) -> models.TokenMade:
        """Make a token for `lifetime` seconds (None: until it is revoked); its secret is `token`, shown only now.

        `scopes` are `module:verb` (`workloads:write`); `READ_ONLY` and `CI` are usual ones.
        """
        body = {"note": note, "scopes": [*scopes], "lifetime": lifetime}
        return self._transport.post(models.TokenMade, "/accounts/tokens", body)

    def revoke(self, token: str) -> None:
        """End a token, by its id; it is refused from then on."""
        self._transport.delete(f"/accounts/tokens/{quote(token, safe='')}")
