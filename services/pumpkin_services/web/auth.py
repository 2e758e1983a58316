"""From a request to a `Principal`: Hub tokens, the Hub's OAuth cookie, or a workload's own short-lived token."""

from __future__ import annotations

import hashlib
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import Any

from jupyterhub.services.auth import HubOAuth, HubOAuthenticated
from tornado.web import HTTPError, RequestHandler

from pumpkin_services.principal import Principal
from pumpkin_services.problems import Forbidden, Unauthenticated, Unavailable

WORKLOAD_PREFIX = "pumpkin-w."
TOKEN_CACHE_SECONDS = 15
"""How long the Hub's word on a token is believed: one that was revoked at the Hub itself, or through another replica,
is refused after this at the latest; one revoked here at once."""

Admit = Callable[[Principal, dict[str, Any]], Awaitable[Principal]]
WorkloadLookup = Callable[[str], Awaitable[Principal | None]]


class HubHandler(HubOAuthenticated, RequestHandler):
    """A handler that knows the Hub's log-in; says the types that tornado and the Hub's mixin leave out."""

    hub_auth: Any
    xsrf_token: Any
    finish: Callable[..., Future[None]]
    get_login_url: Callable[..., str]
    set_cookie: Callable[..., None]
    write: Callable[..., None]


class Authenticator:
    """Finds out who is asking.

    `admit` is called with every Hub identity and the Hub's user model: it adds the workspaces and
    refuses who may not come in (a frozen user). `workload` resolves a workload's token.
    """

    def __init__(self, hub_auth: HubOAuth, *, admit: Admit, workload: WorkloadLookup) -> None:
        self.hub_auth: Any = hub_auth
        self.hub_auth.cache_max_age = TOKEN_CACHE_SECONDS
        self._admit = admit
        self._workload = workload

    async def identify(self, handler: RequestHandler) -> Principal:
        """Return the caller of `handler`'s request; raise `Unauthenticated`, `Forbidden` or `Unavailable`."""
        token: str | None = self.hub_auth.get_token(handler, in_cookie=False)
        if token and token.startswith(WORKLOAD_PREFIX):
            # Marked so that the XSRF check, which is about cookies, stands aside.
            handler._token_authenticated = True  # pyright: ignore[reportAttributeAccessIssue]
            principal = await self._workload(token)
            if principal is None:
                raise Unauthenticated("This workload token is not valid, or its workload has ended.")
            return principal
        try:
            model: dict[str, Any] | None = await self.hub_auth.get_user(handler, sync=False)
        except HTTPError as error:
            if error.status_code in (401, 403):
                raise Unauthenticated(
                    "The Hub does not know this token (any more): make a new one on your account's page."
                ) from error
            raise Unavailable("The Hub cannot be asked who you are right now: try again in a moment.") from error
        if model is None:
            raise Unauthenticated("Log in, or send 'Authorization: token <Hub API token>'.")
        cookie = None if token else self.hub_auth._get_token_cookie(handler)
        secret = str(token or cookie or model["name"])
        principal = Principal(
            name=str(model["name"]),
            kind="service" if model.get("kind") == "service" else "user",
            token=hashlib.sha256(secret.encode()).hexdigest()[:32],
            token_id=str(model.get("token_id") or ""),
            session=cookie is not None,
            scopes=frozenset(model["scopes"]),
        )
        return await self._admit(principal, model)

    def forget(self, token_id: str) -> None:
        """Ask the Hub about a token again, by its id: it was revoked. Other replicas do so when their cache ends."""
        cache = self.hub_auth.cache
        for key, model in list(cache.values.items()):
            if model is not None and model.get("token_id") == token_id:
                cache.pop(key, None)


def require_scope(principal: Principal, scope: str | None) -> None:
    """Raise `Forbidden` unless the principal holds `scope` (None asks for nothing)."""
    if scope is not None and not principal.has(scope):
        raise Forbidden(
            f"This needs the scope 'custom:pumpkin:{scope}': use a token that has it, or ask an admin.",
            scope=f"custom:pumpkin:{scope}",
        )


def require_own_route(principal: Principal, owner: str) -> None:
    """Raise `Forbidden` when a workload calls a route that is not for the things it was given or makes."""
    if principal.workload is not None and owner not in ("any", "self", "visible", "workload"):
        raise Forbidden("A workload's own token changes nothing but its metrics: use a person's token.")
