"""Who may log in: native accounts or an OpenID Connect provider, and what both have in common.

Both refuse frozen users: those in the Hub group FROZEN, where the platform puts them. The Hub asks again every
minute, so that a browser session ends too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import maybe_future
from nativeauthenticator import NativeAuthenticator
from oauthenticator.generic import GenericOAuthenticator
from tornado.web import HTTPError
from traitlets import Unicode

from pumpkin_hub import pages
from pumpkin_hub.onetime import OneTime

FROZEN = "pumpkin-frozen"
FROM_PROVIDER = {"source": "oidc"}
"""Property of the groups that follow the provider's claim; the others are the platform's own workspaces."""
USERNAME = r"(?!.*\.\.)[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z"
"""A user's name is also the name of the personal workspace, and a folder's."""
MAX_PASSWORD_BYTES = 72
"""bcrypt takes no more."""


class Admission:
    """What both authenticators share; mixed in before the authenticator's own class."""

    parent: Any
    log: Any

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        """Refuse a frozen user with a sentence; else what the Hub itself says."""
        user: Any = orm.User.find(self.parent.db, username)
        if user is not None and _frozen(user):
            raise HTTPError(403, "This account is frozen: ask an admin.")
        return super().check_blocked_users(username, authentication)  # pyright: ignore[reportAttributeAccessIssue]

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Return False, which ends the session, for a frozen user."""
        if _frozen(user.orm_user):
            return False
        return await maybe_future(super().refresh_user(user, handler, **kwargs))  # pyright: ignore[reportAttributeAccessIssue]


class Native(Admission, NativeAuthenticator):
    """Native accounts, with one-time passwords and changes by POST only."""

    data_dir = Unicode(help="The data folder, whose `secrets/` holds the one-time passwords.").tag(config=True)

    @property
    def one_time(self) -> OneTime:
        """The one-time passwords of this instance."""
        return OneTime(Path(self.data_dir))

    def is_password_strong(self, password: str) -> bool:
        """Tell whether a new password will do; bcrypt's limit is checked before it can raise."""
        return len(password.encode()) <= MAX_PASSWORD_BYTES and super().is_password_strong(password)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the user's name, or None. One-time passwords open nothing here: `pages.Login` trades them in."""
        if len(data["password"].encode()) > MAX_PASSWORD_BYTES:
            return None
        return await super().authenticate(handler, data)

    def choose_password(self, username: str, password: str) -> None:
        """Set the password of an account, made if it is new, for a holder of its one-time password."""
        if not self.user_exists(username):
            # Not create_user: it obeys the sign-up setting, and this account was asked for from the shell.
            pages.add_account(self.db, username)
        self.change_password(username, password)
        self.one_time.spend(username)

    def get_handlers(self, app: Any) -> list[tuple[str, Any]]:
        """Return the native pages, with those replaced that need more than upstream's."""
        ours = dict(pages.HANDLERS)
        return [(path, ours.get(path, handler)) for path, handler in super().get_handlers(app)]


class Oidc(Admission, GenericOAuthenticator):
    """Log-in at an OpenID Connect provider, with groups and admins by claim when so configured."""

    groups_claim = Unicode(help="Claim that lists the user's groups; empty for none.").tag(config=True)
    admin_group = Unicode(help="Members of this group are admins.").tag(config=True)

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Follow the provider's groups, then do what the Hub does."""
        if self.groups_claim and auth_model:
            claims: dict[str, Any] = auth_model["auth_state"][self.user_auth_state_key]
            names = {str(name) for name in claims.get(self.groups_claim) or []}
            if self.admin_group:
                auth_model["admin"] = auth_model["name"] in self.admin_users or self.admin_group in names
            follow_groups(self.parent.db, handler.user_from_username(auth_model["name"]).orm_user, names)
        return await super().run_post_auth_hook(handler, auth_model)


def follow_groups(db: Any, user: Any, names: set[str]) -> None:
    """Make `user` a member of the groups `names`, and of no other group that came from the provider.

    Groups made in the platform are left alone; a claimed name that one of them has is not followed, else whoever
    names groups at the provider could walk into a workspace here.
    """
    for name in sorted(names):
        group: Any = orm.Group.find(db, name)
        if group is None and re.match(USERNAME, name) and name != FROZEN:
            group = orm.Group(name=name, properties=FROM_PROVIDER)
            db.add(group)
        if group is not None and group.properties == FROM_PROVIDER and group not in user.groups:
            user.groups.append(group)
    for group in list(user.groups):
        if group.properties == FROM_PROVIDER and group.name not in names:
            user.groups.remove(group)
    db.commit()


def _frozen(user: Any) -> bool:
    return any(group.name == FROZEN for group in user.groups)
