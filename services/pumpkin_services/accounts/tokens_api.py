"""Routes of personal tokens.

None of them has a session: the Hub keeps the tokens, and an answer with a secret in it must not be kept for an
Idempotency-Key. One sent twice makes two tokens; both are in the list.
"""

from __future__ import annotations

from typing import Any

from pumpkin_services.accounts.tokens import Token, TokenCreate, TokenMade, Tokens, TokenService
from pumpkin_services.web import Call, Route


def routes(service: TokenService) -> list[Route]:
    """Return the routes over `service`."""

    async def tokens(call: Call[None, None]) -> Tokens:
        return await service.list_tokens(call.principal)

    async def create(call: Call[TokenCreate, None]) -> TokenMade:
        made = await service.create(call.principal, request=call.body)
        call.audit.update(object=made.id, owner=call.principal.name, **_facts(made))
        return made

    async def revoke(call: Call[None, None]) -> None:
        token = call.path["token"]
        gone = await service.revoke(call.principal, token=token)
        call.handler.edge.authenticator.forget(token)
        call.audit.update(object=token, owner=call.principal.name, **_facts(gone))

    every = "/accounts/tokens"
    read: dict[str, Any] = {"owner": "self", "session": False, "scope": "accounts:read"}
    write: dict[str, Any] = read | {"scope": "accounts:write"}
    return [
        Route(method="GET", path=every, summary="List your tokens", endpoint=tokens, response=Tokens, **read),
        Route(
            method="POST",
            path=every,
            summary="Make a token",
            endpoint=create,
            request=TokenCreate,
            response=TokenMade,
            status=201,
            **write,
        ),
        Route(method="DELETE", path=every + "/{token}", summary="Revoke a token", endpoint=revoke, **write),
    ]


def _facts(token: Token) -> dict[str, Any]:
    return {
        "note": token.note,
        "scopes": token.scopes,
        "expires": token.expires and token.expires.isoformat(),
    }
