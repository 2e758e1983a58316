"""The caller's personal tokens."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from pumpkin import _models as models
from pumpkin._async.transport import AsyncTransport

MODULES = ("datasets", "algorithms", "models", "images", "workloads", "resources", "accounts", "billing")
READ_ONLY = tuple(f"{module}:read" for module in MODULES)
"""Scopes of a token that looks at everything and changes nothing."""
CI = ("workloads:write", "datasets:read", "algorithms:write", "models:read", "images:read", "resources:read")
"""Scopes of a token that uploads code and submits jobs."""


class AsyncTokens:
    """Tokens for scripts: each may do no more than the one it is made with, and lasts no longer."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> list[models.Token]:
        """Return the caller's tokens, newest first, without their secrets."""
        return (await self._transport.get(models.Tokens, "/accounts/tokens")).items

    async def create(self, note: str, scopes: Sequence[str], *, lifetime: int | None = None) -> models.TokenMade:
        """Make a token for `lifetime` seconds (None: until it is revoked); its secret is `token`, shown only now.

        `scopes` are `module:verb` (`workloads:write`); `READ_ONLY` and `CI` are usual ones.
        """
        body = {"note": note, "scopes": [*scopes], "lifetime": lifetime}
        return await self._transport.post(models.TokenMade, "/accounts/tokens", body)

    async def revoke(self, token: str) -> None:
        """End a token, by its id; it is refused from then on."""
        await self._transport.delete(f"/accounts/tokens/{quote(token, safe='')}")
