"""The only errors a user ever sees, each one sentence that says what to do.

Rules raise them, `web` turns them into RFC 9457 problem+json. Anything else that escapes is a bug and
is answered with a bare 500 and a reference into the log.
"""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """An error meant for the caller.

    `detail` is one plain sentence a person can act on, `field` the JSON path of the offending
    input (`spec`, `roles.0.replicas`), `reason` a stable word for programs. Keyword extras travel
    as extension members of the problem document.
    """

    status = 400
    reason = "bad_request"
    title = "The request cannot be carried out"

    def __init__(self, detail: str, *, field: str | None = None, reason: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = [{"field": field, "message": detail}] if field else []
        self.reason = reason or type(self).reason
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """Return the RFC 9457 members of this problem."""
        body: dict[str, Any] = {
            "type": f"urn:pumpkin:problem:{self.reason}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            **self.extra,
        }
        if self.errors:
            body["errors"] = self.errors
        return body


class Invalid(Problem):
    """A value the caller sent is not acceptable; `field` names it."""

    status = 422
    reason = "invalid"
    title = "A value is not acceptable"

    @classmethod
    def many(cls, errors: list[dict[str, str]]) -> Invalid:
        """Build one problem from several field errors, each `{"field", "message"}`."""
        first = errors[0]
        problem = cls(f"{first['field'] or 'body'}: {first['message']}")
        problem.errors = [dict(error) for error in errors]
        return problem


class Unauthenticated(Problem):
    """No valid identity came with the request."""

    status = 401
    reason = "unauthenticated"
    title = "Log in or send a Hub token"


class Forbidden(Problem):
    """The caller is known but may not do this; say who can allow it."""

    status = 403
    reason = "forbidden"
    title = "Not permitted"


class NotFound(Problem):
    """The thing does not exist, or the caller may not know that it does."""

    status = 404
    reason = "not_found"
    title = "Not found"


class Conflict(Problem):
    """The request clashes with the present state (a taken name, a finished job)."""

    status = 409
    reason = "conflict"
    title = "Conflict with the present state"


class PreconditionFailed(Problem):
    """If-Match named a revision that is no longer the current one."""

    status = 412
    reason = "changed_meanwhile"
    title = "Somebody changed it meanwhile"


class TooLarge(Problem):
    """The body, file or archive is over a limit; say the limit."""

    status = 413
    reason = "too_large"
    title = "Too large"


class RangeNotSatisfiable(Problem):
    """A byte range lies outside the content."""

    status = 416
    reason = "range_not_satisfiable"
    title = "Range not satisfiable"


class TooManyRequests(Problem):
    """The caller's rate is over its limit; `retry_after` is in seconds."""

    status = 429
    reason = "rate_limited"
    title = "Too many requests"


class Unavailable(Problem):
    """Something the platform needs is away; trying again later may work."""

    status = 503
    reason = "unavailable"
    title = "Not available right now"


class StorageFull(Problem):
    """No room is left in the store or on the disk; nothing was kept half done."""

    status = 507
    reason = "storage_full"
    title = "No room left"


def check_revision(current: int, expected: int | None) -> None:
    """Raise `PreconditionFailed` when an If-Match revision was sent and is not the current one."""
    if expected is not None and expected != current:
        raise PreconditionFailed(
            f"You edited revision {expected}, the current one is {current}: fetch it again and redo your change."
        )
