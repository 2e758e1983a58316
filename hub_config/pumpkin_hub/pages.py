"""Pages of the native accounts that differ from upstream's: log-in, choosing a password, approving accounts;
and the address where an admin gets a one-time password for somebody.

Upstream approves and discards accounts by GET, which a link on another site could do with an admin's cookie;
here they are forms with the Hub's XSRF token.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast

import bcrypt
from jupyterhub import scopes
from jupyterhub.apihandlers.base import APIHandler
from nativeauthenticator.handlers import LocalBase
from nativeauthenticator.handlers import LoginHandler as NativeLoginHandler
from nativeauthenticator.orm import UserInfo
from tornado.escape import url_escape
from tornado.web import HTTPError

from pumpkin_hub.languages import translate

admin_only: Any = cast(Any, scopes).needs_scope("admin:users")
NO_MATCH = "This name and password do not match."


class Login(NativeLoginHandler):
    """The log-in form. A one-time password leads to the form that replaces it, and to nothing else."""

    authenticator: Any
    finish: Callable[..., None]
    get_next_url: Callable[..., str]
    login_user: Callable[..., Awaitable[Any]]
    render_template: Callable[..., Any]

    def _render(
        self, login_error: str | None = None, username: str | None = None, *, sync: bool = False, **_: Any
    ) -> Any:
        # The Hub renders its own refusals (an expired form, a frozen user) into this form too, synchronously and
        # with more than upstream's method takes.
        return self.render_template(
            "native-login.html",
            sync=sync,
            next=url_escape(self.get_argument("next", "")),
            username=username,
            login_error=login_error,
            enable_signup=self.authenticator.enable_signup,
        )

    async def post(self) -> None:
        """Log in, or say in one sentence why not."""
        name: str = self.authenticator.normalize_username(self.get_body_argument("username", ""))
        password = self.get_body_argument("password", "", strip=False)
        if self.authenticator.one_time.matches(name, password):
            chosen = await self._choose(name, password)
            if chosen is None:
                return
            password = chosen
        user = await self.login_user({"username": name, "password": password})
        if user:
            self._jupyterhub_user = user
            self.redirect(str(self.get_next_url(user)))
            return
        self.set_status(403)
        self.finish(await self._render(login_error=self._why_not(name, password), username=name))

    async def _choose(self, name: str, one_time: str) -> str | None:
        """Return the password just chosen, or answer with the form that asks for one and return None."""
        chosen = self.get_body_argument("new_password", "", strip=False)
        error = ""
        if chosen:
            if chosen != self.get_body_argument("repeated", "", strip=False):
                error = translate("The two passwords differ: type the same one twice.")
            elif chosen == one_time or not self.authenticator.is_password_strong(chosen):
                least = self.authenticator.minimum_password_length
                error = translate("Choose a password of %s to 72 characters that is not a common one.") % least
            else:
                self.authenticator.choose_password(name, chosen)
                return chosen
        if error:
            self.set_status(422)
        page = await self.render_template(
            "choose-password.html",
            username=name,
            one_time=one_time,
            error=error,
            next=self.get_argument("next", ""),
            least=self.authenticator.minimum_password_length,
        )
        self.finish(page)
        return None

    def _why_not(self, name: str, password: str) -> str:
        if self.authenticator.allowed_failed_logins and self.authenticator.is_blocked(name):
            seconds = self.authenticator.seconds_before_next_try
            return translate("Too many failed tries: wait %s seconds.") % seconds
        account = self.authenticator.get_user(name)
        if account is None or account.is_authorized or len(password.encode()) > 72:
            return translate(NO_MATCH)
        if account.is_valid_password(password):
            return translate("The account %s waits for an admin's approval.") % name
        return translate(NO_MATCH)


class Approve(LocalBase):
    """Approves an account, or takes the approval back."""

    @admin_only
    async def post(self, slug: str) -> None:
        """Toggle the approval of `slug`, and go back to the list."""
        if cast(Any, UserInfo).find(self.db, slug) is None:
            raise HTTPError(404, f"There is no account {slug}.")
        cast(Any, UserInfo).change_authorization(self.db, slug)
        self.redirect(self.hub.base_url + "authorize")


class Discard(LocalBase):
    """Discards an account that was never approved."""

    @admin_only
    async def post(self, user_name: str) -> None:
        """Discard `user_name` unless approved, and go back to the list."""
        account: Any = cast(Any, UserInfo).find(self.db, user_name)
        if account is not None and not account.is_authorized:
            self.db.delete(account)
            self.db.commit()
        self.redirect(self.hub.base_url + "authorize")


class OneTimePasswords(APIHandler):
    """Hands out one-time passwords; where there are no native accounts, this address does not exist."""

    authenticator: Any
    find_user: Any
    finish: Callable[..., None]

    @admin_only
    async def post(self, name: str) -> None:
        """Make a new one-time password for a user the Hub knows."""
        if self.find_user(name) is None:
            raise HTTPError(404, f"There is no user {name}.")
        self.set_status(201)
        self.finish({"password": self.authenticator.one_time.make(name)})


API_HANDLERS: list[tuple[str, Any]] = [(r"/api/pumpkin/one-time-passwords/([^/]+)", OneTimePasswords)]
HANDLERS: dict[str, Any] = {
    r"/login": Login,
    r"/authorize/([^/]*)": Approve,
    r"/discard/([^/]*)": Discard,
}


def add_account(db: Any, username: str) -> None:
    """Add an approved native account that nobody can log in to until its password is set."""
    unknown = bcrypt.hashpw(secrets.token_bytes(32), bcrypt.gensalt())
    db.add(UserInfo(username=username, password=unknown, is_authorized=True))
    db.commit()
