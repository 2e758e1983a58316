"""A small asynchronous client of the Hub's REST API: users, servers, tokens and groups.

Every call may be repeated without harm, and is repeated with back-off while the Hub is away. What the Hub
then still refuses is a `Problem`: `NotFound`, `Conflict`, `Unavailable`, or `HubRefused` for the rest.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from pumpkin_services.problems import Conflict, NotFound, Problem, Unavailable

PAGE = 100
PAGINATION = "application/jupyterhub-pagination+json"


class HubRefused(Problem):
    """The Hub answered and said no; `hub_status` is its HTTP status."""

    status = 502
    reason = "hub_refused"
    title = "The Hub refused"

    def __init__(self, detail: str, *, hub_status: int) -> None:
        super().__init__(detail, hub_status=hub_status)
        self.hub_status = hub_status


@dataclass(frozen=True, kw_only=True)
class HubServer:
    """One notebook server as the Hub sees it; `name` is "" for the default server."""

    name: str
    ready: bool = False
    pending: str | None = None
    """`spawn` or `stop` while the Hub is at it."""
    stopped: bool = False
    url: str = ""
    last_activity: str | None = None
    user_options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class HubUser:
    """One user as the Hub sees it, with the servers that are not stopped."""

    name: str
    admin: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    servers: Mapping[str, HubServer] = field(default_factory=dict[str, HubServer])


@dataclass(frozen=True, kw_only=True)
class HubGroup:
    """A Hub group and its members' names."""

    name: str
    users: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HubToken:
    """One token of a user's, without its secret; `scopes` are expanded."""

    id: str
    note: str
    scopes: frozenset[str]
    session: bool
    """Whether it belongs to somebody's log-in (the Hub made it by OAuth), not made as a token."""
    created: datetime
    last_used: datetime | None
    expires: datetime | None

    @property
    def of_server(self) -> bool:
        """Whether it is a notebook server's own, made by the Hub for as long as the server runs.

        Such a token opens that one server. One with all its user's rights may open all of theirs (and some that
        others share).
        """
        opens = {scope for scope in self.scopes if scope.partition("!")[0] == "access:servers"}
        return bool(opens) and all("!server=" in scope for scope in opens)


class HubClient:
    """The Hub at `api_url` (JUPYTERHUB_API_URL), asked with the service's own `token`.

    `patience` is how many seconds a call goes on trying while the Hub is away or busy.
    """

    def __init__(self, *, api_url: str, token: str, patience: float = 15.0) -> None:
        self._url = api_url.rstrip("/")
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        self._patience = patience
        # Its own client: the shared one allows ten requests at a time, and a start may hold one for ten seconds.
        self._http = AsyncHTTPClient(force_instance=True, max_clients=64)

    @asynccontextmanager
    async def acting_as(self, user: str, *, scopes: list[str]) -> AsyncGenerator[HubClient]:
        """Give a client with a short-lived token of `user`'s: the Hub itself checks what that user may do.

        Raises:
            HubRefused: with `hub_status` 400, if the user does not hold all `scopes` (the Hub's own).
        """
        note = "the platform, for what you have just asked it"
        token, secret = await self.create_token(user, note=note, scopes=scopes, lifetime=60)
        acting = copy(self)
        acting._headers = {**self._headers, "Authorization": f"token {secret}"}
        try:
            yield acting
        finally:
            await self.delete_token(user, token.id)

    async def create_user(self, name: str, *, admin: bool = False) -> None:
        """Make a user; raise `Conflict` if there is one. `admin` is for callers who act as an admin."""
        await self._send("POST", "/users", body={"usernames": [name], "admin": admin})

    async def set_admin(self, name: str, admin: bool) -> None:
        """Make a user an admin of the Hub, or no longer one. For callers who act as an admin."""
        await self._send("PATCH", f"/users/{_segment(name)}", body={"admin": admin})

    async def one_time_password(self, name: str) -> str | None:
        """Return a new one-time password for a user; None where the Hub keeps no passwords.

        For callers who act as an admin.
        """
        try:
            _, answer = await self._request("POST", f"/pumpkin/one-time-passwords/{_segment(name)}", body={})
        except NotFound:
            return None
        return str(json.loads(answer)["password"])

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    async def version(self, *, seconds: float) -> str:
        """Return the Hub's version; raise `Unavailable` or `HubRefused` when it does not say so within `seconds`."""
        request = HTTPRequest(self._url + "/", headers=self._headers, connect_timeout=seconds, request_timeout=seconds)
        try:
            answer = await self._http.fetch(request)
        except HTTPClientError as error:
            raise _problem(error) from error
        except OSError as error:
            raise Unavailable("The Hub does not answer.") from error
        return str(json.loads(answer.body)["version"])

    async def active_users(self) -> AsyncIterator[HubUser]:
        """Iterate over the users who have a server, a page at a time: one may slip through between two pages."""
        offset: int | None = 0
        while offset is not None:
            page = await self._ask("GET", f"/users?state=active&offset={offset}&limit={PAGE}", accept=PAGINATION)
            for model in page["items"]:
                yield _user(model)
            following = page["_pagination"]["next"]
            offset = following and following["offset"]

    async def user(self, name: str) -> HubUser | None:
        """Return one user, None when the Hub knows none of that name."""
        model = await self._find(f"/users/{_segment(name)}")
        return None if model is None else _user(model)

    async def start_server(self, user: str, server: str = "", *, options: dict[str, Any] | None = None) -> bool:
        """Start a server; tell whether it is ready (False: still starting). One that runs already is fine.

        A start that failed is not tried again: the Hub counts failures in a row and stops itself after some.
        """
        path = _server(user, server)
        try:
            status = await self._send("POST", path, body={"user_options": options}, again=frozenset({429}))
        except HubRefused as refusal:
            if refusal.hub_status == 400 and "already running" in refusal.detail:
                return True
            raise
        return status != 202

    async def stop_server(self, user: str, server: str = "", *, remove: bool = False) -> bool:
        """Stop a server; tell whether it has stopped (False: still stopping). None there counts as stopped."""
        try:
            return await self._send("DELETE", _server(user, server), body={"remove": remove}) != 202
        except NotFound:
            return True

    async def tokens(self, user: str) -> list[HubToken]:
        """Return a user's tokens; none for an unknown user."""
        model: dict[str, Any] = await self._find(f"/users/{_segment(user)}/tokens") or {}
        return [_token(token) for token in model.get("api_tokens", [])]

    async def token(self, user: str, token: str) -> HubToken | None:
        """Return one token of a user's by id, None when there is none."""
        model = await self._find(f"/users/{_segment(user)}/tokens/{_segment(token)}")
        return None if model is None else _token(model)

    async def create_token(
        self, user: str, *, note: str, scopes: list[str], lifetime: int | None
    ) -> tuple[HubToken, str]:
        """Make a token of a user's for `lifetime` seconds (None: until revoked); return it and its secret.

        The Hub refuses scopes which the user does not hold. If the connection breaks, one may be left whose secret
        nobody has seen.
        """
        asked = {"note": note, "scopes": scopes, "expires_in": lifetime}
        _, body = await self._request("POST", f"/users/{_segment(user)}/tokens", body=asked, again=frozenset({429}))
        model = json.loads(body)
        return _token(model), str(model["token"])

    async def delete_token(self, user: str, token: str) -> None:
        """Delete one token by id; one that is gone already is fine."""
        await self._find(f"/users/{_segment(user)}/tokens/{_segment(token)}", method="DELETE")

    async def groups(self) -> list[HubGroup]:
        """Return all groups, a page at a time."""
        found: list[HubGroup] = []
        offset: int | None = 0
        while offset is not None:
            page = await self._ask("GET", f"/groups?offset={offset}&limit={PAGE}", accept=PAGINATION)
            found += [_group(model) for model in page["items"]]
            following = page["_pagination"]["next"]
            offset = following and following["offset"]
        return found

    async def group(self, name: str) -> HubGroup | None:
        """Return one group, None when there is none of that name."""
        model = await self._find(f"/groups/{_segment(name)}")
        return None if model is None else _group(model)

    async def create_group(self, name: str) -> None:
        """Make sure that a group exists."""
        try:
            await self._send("POST", f"/groups/{_segment(name)}", body={})
        except Conflict:
            pass

    async def delete_group(self, name: str) -> None:
        """Make sure that a group does not exist."""
        await self._find(f"/groups/{_segment(name)}", method="DELETE")

    async def add_to_group(self, name: str, users: list[str]) -> None:
        """Make users members of a group; those who are stay so."""
        if users:
            await self._send("POST", f"/groups/{_segment(name)}/users", body={"users": users})

    async def remove_from_group(self, name: str, users: list[str]) -> None:
        """Take users out of a group; those who are not in it stay out."""
        if users:
            await self._send("DELETE", f"/groups/{_segment(name)}/users", body={"users": users})

    async def _find(self, path: str, *, method: Literal["GET", "DELETE"] = "GET") -> Any:
        try:
            return await self._ask(method, path)
        except NotFound:
            return None

    async def _ask(self, method: str, path: str, *, accept: str = "application/json") -> Any:
        _, body = await self._request(method, path, accept=accept)
        return json.loads(body) if body else None

    async def _send(
        self, method: str, path: str, *, body: Any, again: frozenset[int] = frozenset({429, 500, 502, 503, 504})
    ) -> int:
        status, _ = await self._request(method, path, body=body, again=again)
        return status

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        accept: str = "application/json",
        again: frozenset[int] = frozenset({429, 500, 502, 503, 504}),
    ) -> tuple[int, bytes]:
        """Ask until the Hub answers something other than `again`, or `patience` is spent."""
        request = HTTPRequest(
            self._url + path,
            method=method,
            headers={**self._headers, "Accept": accept},
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            connect_timeout=5,
            request_timeout=60,
        )
        give_up = time.monotonic() + self._patience
        pause = 0.1
        while True:
            try:
                response = await self._http.fetch(request)
                return response.code, response.body
            except HTTPClientError as error:
                # tornado's own 599 is a broken connection or a time-out.
                if error.code not in again | {599} or time.monotonic() + pause > give_up:
                    raise _problem(error) from error
                wait = _retry_after(error) or pause
            except OSError as error:
                if time.monotonic() + pause > give_up:
                    raise Unavailable("The Hub does not answer: try again in a moment.") from error
                wait = pause
            # Jitter, so that several replicas do not come back in step.
            await asyncio.sleep(min(wait, max(give_up - time.monotonic(), 0)) * random.uniform(0.8, 1.2))
            pause = min(pause * 2, 3.0)


def _segment(name: str) -> str:
    return quote(name, safe="@")


def _server(user: str, server: str) -> str:
    return f"/users/{_segment(user)}/servers/{_segment(server)}" if server else f"/users/{_segment(user)}/server"


def _retry_after(error: HTTPClientError) -> float | None:
    value = error.response.headers.get("Retry-After", "") if error.response else ""
    return float(value) if value.isdigit() else None


def _problem(error: HTTPClientError) -> Problem:
    message = ""
    if error.response is not None and error.response.body:
        try:
            message = str(json.loads(error.response.body).get("message") or "")
        except (ValueError, AttributeError):
            message = ""
    if error.code == 404:
        return NotFound(message or "The Hub knows no such thing.")
    if error.code == 409:
        return Conflict(message or "The Hub has one of that name already.")
    if error.code in (429, 502, 504, 599):
        return Unavailable("The Hub is away or busy: try again in a moment.")
    return HubRefused(f"The Hub refused ({error.code}): {message or error.message}.", hub_status=error.code)


def _user(model: dict[str, Any]) -> HubUser:
    servers: dict[str, dict[str, Any]] = model.get("servers") or {}
    return HubUser(
        name=str(model["name"]),
        admin=bool(model.get("admin")),
        roles=tuple(model.get("roles") or ()),
        groups=tuple(model.get("groups") or ()),
        servers={name: _server_model(name, server) for name, server in servers.items()},
    )


def _server_model(name: str, model: dict[str, Any]) -> HubServer:
    return HubServer(
        name=name,
        ready=bool(model.get("ready")),
        pending=model.get("pending"),
        stopped=bool(model.get("stopped")),
        url=str(model.get("url") or ""),
        last_activity=model.get("last_activity"),
        user_options=dict(model.get("user_options") or {}),
    )


def _group(model: dict[str, Any]) -> HubGroup:
    return HubGroup(name=str(model["name"]), users=tuple(model.get("users") or ()))


def _token(model: dict[str, Any]) -> HubToken:
    return HubToken(
        id=str(model["id"]),
        note=str(model.get("note") or ""),
        scopes=frozenset(model.get("scopes") or ()),
        session=model.get("session_id") is not None or model.get("oauth_client") != "JupyterHub",
        created=datetime.fromisoformat(model["created"]),
        last_used=_time(model.get("last_activity")),
        expires=_time(model.get("expires_at")),
    )


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
