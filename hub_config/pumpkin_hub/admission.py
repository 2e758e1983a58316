"""What every authenticator shares: which names are possible, and that frozen users stay out.

Frozen users are those in the Hub group FROZEN, where the platform puts them. The Hub asks again every minute, so
that a browser session ends too.
"""

from __future__ import annotations

from typing import Any, cast

from jupyterhub import orm, utils
from tornado.web import HTTPError

FROZEN = "pumpkin-frozen"
USERNAME = r"(?!.*\.\.)[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z"
"""A user's name is also the name of the personal workspace, and a folder's."""


class Admission:
    """Mixed in before the authenticator's own class."""

    parent: Any
    log: Any

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        """Refuse a frozen user with a sentence; else what the Hub itself says."""
        user: Any = cast(Any, orm.User).find(self.parent.db, username)
        if user is not None and _frozen(user):
            raise HTTPError(403, "This account is frozen: ask an admin.")
        return cast(Any, super()).check_blocked_users(username, authentication)

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Return False, which ends the session, for a frozen user."""
        if _frozen(user.orm_user):
            return False
        return await cast(Any, utils).maybe_future(cast(Any, super()).refresh_user(user, handler, **kwargs))


def _frozen(user: Any) -> bool:
    return any(group.name == FROZEN for group in user.groups)
