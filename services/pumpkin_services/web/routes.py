"""The route table: one `Route` declares all there is to know about a URL (DESIGN §7).

The handler's checks, the OpenAPI document, the SDK's models and the access-matrix test are derived from it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.principal import Principal

if TYPE_CHECKING:
    from pumpkin_services.web.handler import ApiHandler

B = TypeVar("B")
Q = TypeVar("Q")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Owner = Literal["any", "visible", "member", "owner", "self", "admin", "workload", "service"]
Rate = Literal["read", "write", "bulk"]


@dataclass(kw_only=True)
class Call(Generic[B, Q]):
    """One request, checked: what an endpoint gets.

    `session` is open for the whole call: a write session for POST, PUT, PATCH and DELETE (committed when
    the endpoint returns, together with the audit line and the idempotency record), a read session for what only asks.
    Routes declared with `session=False` (long streams) get none and open their own.
    """

    principal: Principal
    body: B
    query: Q
    path: dict[str, str]
    handler: ApiHandler
    if_match: int | None = None
    """The revision named by If-Match; pass it to `problems.check_revision`."""
    last_event_id: str | None = None
    audit: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the audit line should say besides who, what and when: `object`, `owner` and facts worth keeping."""
    prepared: Any = None
    """What the route's `prepare` returned."""
    _session: AsyncSession | None = None
    _after: list[Callable[[], Any]] = field(default_factory=list[Callable[[], Any]])

    @property
    def session(self) -> AsyncSession:
        """The call's database session."""
        if self._session is None:
            raise RuntimeError("this route declares session=False")
        return self._session

    def after_commit(self, function: Callable[[], Any]) -> None:
        """Run `function` once the transaction is committed (waking the pipeline, say); never on rollback."""
        self._after.append(function)

    def stream(self) -> AsyncIterator[bytes]:
        """Iterate over the request body as it arrives (routes declared with `upload=True`)."""
        return self.handler.body_stream()


@dataclass(frozen=True, kw_only=True)
class Route:
    """One row of the table.

    `scope` is `module:verb` without the `custom:pumpkin:` prefix; None asks only for an identity.
    `owner` names the ownership rule the service enforces, for the docs and the access matrix: `any` caller,
    things `visible` to the caller, workspace `member`s, the workspace's `owner`s, only one`self`, `admin`s,
    the `workload` itself, a Hub `service`.
    `response` None answers 204. `streams` names the media type of a streamed answer (several, joined by ", ", when
    the endpoint sets the header itself): the endpoint then returns an async iterator (of bytes, or of
    `ServerSentEvent` for text/event-stream) or writes by itself.
    """

    method: Method
    path: str
    summary: str
    scope: str | None
    owner: Owner
    endpoint: Callable[[Call[Any, Any]], Awaitable[Any]]
    request: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    status: int = 200
    rate: Rate | None = None
    optional_body: bool = False
    """Whether a body may be left out; it then means an empty object."""
    upload: bool = False
    max_body: int = 1 << 20
    """The largest body in bytes; ignored when `upload` (the endpoint counts)."""
    streams: str | None = None
    session: bool = True
    prepare: Callable[[Call[Any, Any]], Awaitable[Any]] | None = None
    """Runs before the transaction of a mutating call begins: the place to ask the Hub or another server something."""
    audited: bool = True
    """Whether a change leaves an audit line; not what a workload says of itself several times a second."""
    asks: bool = False
    """A question too long for a URL, sent by POST: answered like a GET, with no write, kept answer or audit line."""
    signed: bool = False
    """The URL itself carries a signature the endpoint checks; no identity is asked for (presigned requests)."""

    @property
    def changes(self) -> bool:
        """Whether a call may change something."""
        return self.method != "GET" and not self.asks

    @property
    def rate_class(self) -> Rate:
        """The bucket this route draws from: declared, else `write` for what may change something."""
        return self.rate or ("write" if self.changes else "read")

    @property
    def module(self) -> str:
        """The first segment of the path: the tag in the OpenAPI document."""
        return self.path.split("/")[1]

    @property
    def operation_id(self) -> str:
        """A stable name for generated clients: `get_datasets_by_dataset`."""
        words = re.sub(r"\{(\w+)\*?\}", r"by_\1", self.path).strip("/").replace("/", "_").replace("-", "_")
        return f"{self.method.lower()}_{words}"

    def pattern(self) -> str:
        """Return the path as a regular expression; `{name}` is one segment, `{name*}` the rest of the path."""
        return re.sub(r"\{(\w+)(\*?)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", self.path)
