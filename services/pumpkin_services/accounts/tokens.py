"""Personal tokens: what they look like on the wire, and the rules of listing, making and revoking one's own.

The Hub keeps the tokens; the platform asks it in the caller's name. A page could not ask the Hub itself: the Hub's
cookie does not reach it, and no other credential (a narrowed token, a notebook server's) may touch tokens at the Hub.
Going through here it works alike for the portal, the Lab, the SDK and the command line, every change has its line in
the audit log, and a token that is revoked is out of this process's cache at once.

The Hub makes sure that a token holds nothing its user does not. That it holds nothing the *credential* it is made with
does not, neither scopes nor time, is made sure of here.
"""

from __future__ import annotations

import os
from collections.abc import Set
from datetime import datetime

from pydantic import Field

from pumpkin_services.db import utcnow
from pumpkin_services.hub import HubClient, HubRefused, HubToken
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.problems import Forbidden, Invalid, NotFound, Unauthenticated
from pumpkin_services.web import Wire

ACCESS = f"access:services!service={os.environ.get('JUPYTERHUB_SERVICE_NAME', 'pumpkin')}"
"""What a token needs to be let in here at all."""
DAY = 86_400
SERVER_DAYS = 7
"""How long a token may last that is made with a notebook server's own, which itself ends with the server."""


class Token(Wire):
    """One of the caller's tokens. The secret is shown once, when it is made."""

    id: str
    note: str
    scopes: list[str]
    """`module:verb`; `admin` includes `write`, `write` includes `read`."""
    everything: bool
    """Whether it may do all that its user may: it can make other tokens at the Hub, where it was made itself."""
    created: datetime
    last_used: datetime | None
    expires: datetime | None
    current: bool
    """Whether this very call was made with it."""


class Tokens(Wire):
    """The caller's tokens, newest first; those of log-ins and of notebook servers are left out."""

    items: list[Token]


class TokenCreate(Wire):
    """A token to make. It may do no more, and last no longer, than what it is asked for with."""

    note: str = Field(min_length=1, max_length=200, description="What it is for.")
    scopes: list[str] = Field(min_length=1, max_length=32, description="`module:verb`, such as `workloads:write`.")
    lifetime: int | None = Field(
        default=None, ge=60, le=3650 * DAY, description="In seconds; null lasts until it is revoked."
    )


class TokenMade(Token):
    """A token just made."""

    token: str
    """The secret: nobody can show it again."""


class TokenService:
    """The caller's own tokens at `hub`."""

    def __init__(self, *, hub: HubClient) -> None:
        self._hub = hub

    async def list_tokens(self, principal: Principal) -> Tokens:
        """Return the tokens the caller made, newest first."""
        require_user(principal)
        found = [token for token in await self._hub.tokens(principal.name) if _is_personal(token)]
        found.sort(key=lambda token: token.created, reverse=True)
        return Tokens(items=[_wire(token, principal) for token in found])

    async def create(self, principal: Principal, *, request: TokenCreate) -> TokenMade:
        """Make a token; raise `Forbidden` when it would do more, or last longer, than the caller's credential."""
        require_user(principal)
        scopes = sorted({_held(principal, scope, at) for at, scope in enumerate(request.scopes)})
        await self._require_lifetime(principal, request.lifetime)
        try:
            token, secret = await self._hub.create_token(
                principal.name, note=request.note, scopes=[*scopes, ACCESS], lifetime=request.lifetime
            )
        except HubRefused as refusal:  # its own greatest lifetime, or rights that were taken away just now
            field = "lifetime" if "expires_in" in refusal.detail else "scopes"
            raise Invalid(refusal.detail, field=field) from refusal
        return TokenMade(**_wire(token, principal).model_dump(), token=secret)

    async def revoke(self, principal: Principal, *, token: str) -> Token:
        """End one of the caller's tokens and return what it was; raise `NotFound`."""
        require_user(principal)
        found = await self._hub.token(principal.name, token)
        if found is None or not _is_personal(found):
            raise NotFound("You have no such token (any more).", field="token")
        await self._hub.delete_token(principal.name, token)
        return _wire(found, principal)

    async def _require_lifetime(self, principal: Principal, lifetime: int | None) -> None:
        """Raise `Forbidden` for what would outlive the token it is made with: it must not renew itself for ever."""
        if principal.session:
            return
        own = await self._hub.token(principal.name, principal.token_id)
        if own is None:
            raise Unauthenticated("This token was revoked just now: log in again.")
        if own.of_server:
            bound = SERVER_DAYS * DAY
        elif own.expires is not None:
            bound = int((own.expires - utcnow()).total_seconds())
        else:
            return
        if lifetime is None or lifetime > bound:
            whose = "a notebook server's token" if own.of_server else "the token you use"
            raise Forbidden(
                f"With {whose} you can make one for {_span(bound)} at most: ask for less, or make it in the portal.",
                field="lifetime",
                reason="outlives",
            )


def require_user(principal: Principal) -> None:
    """Raise `Forbidden` for a service or a workload: only people have tokens of their own."""
    if principal.kind != "user":
        raise Forbidden("Only a user has personal tokens: use a user's token.")


def _held(principal: Principal, scope: str, at: int) -> str:
    held = principal.held(scope)
    if held is None:
        raise Forbidden(
            f"You may not give '{scope[:80]}': what you are asking with does not have it.",
            field=f"scopes.{at}",
            reason="escalation",
        )
    return held


def _is_personal(token: HubToken) -> bool:
    return not token.session and not token.of_server


def _wire(token: HubToken, principal: Principal) -> Token:
    return Token(
        id=token.id,
        note=token.note,
        scopes=_widest(token.scopes),
        everything=bool(token.scopes & {"tokens", f"tokens!user={principal.name}"}),
        created=token.created,
        last_used=token.last_used,
        expires=token.expires,
        current=token.id == principal.token_id,
    )


def _widest(scopes: Set[str]) -> list[str]:
    """Return the platform's scopes as `module:verb`, without those that a wider one of the module includes."""
    held = {scope.removeprefix(PREFIX).partition("!")[0] for scope in scopes if scope.startswith(PREFIX)}
    found = dict[str, str]()
    for verb in ("read", "write", "admin"):
        found |= {scope.partition(":")[0]: scope for scope in held if scope.endswith(f":{verb}")}
    return sorted(found.values())


def _span(seconds: int) -> str:
    return f"{seconds // DAY} days" if seconds >= 2 * DAY else f"{max(seconds, 0) // 60} minutes"
