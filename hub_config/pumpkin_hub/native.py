"""Native accounts: passwords kept by the Hub, one-time passwords, and pages that change things by POST only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from nativeauthenticator import NativeAuthenticator
from traitlets import Unicode

from pumpkin_hub import pages
from pumpkin_hub.admission import Admission
from pumpkin_hub.onetime import OneTime

MAX_PASSWORD_BYTES = 72
"""bcrypt takes no more."""


class Native(Admission, NativeAuthenticator):
    """Native accounts, with one-time passwords and changes by POST only."""

    change_password: Callable[..., Any]
    user_exists: Callable[..., bool]
    data_dir = Unicode(help="The data folder, whose `secrets/` holds the one-time passwords.").tag(config=True)

    @property
    def one_time(self) -> OneTime:
        """The one-time passwords of this instance."""
        return OneTime(Path(self.data_dir))

    def is_password_strong(self, password: str) -> bool:
        """Tell whether a new password will do; bcrypt's limit is checked before it can raise."""
        return len(password.encode()) <= MAX_PASSWORD_BYTES and cast(Any, super()).is_password_strong(password)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the user's name, or None. One-time passwords open nothing here: `pages.Login` trades them in."""
        if len(data["password"].encode()) > MAX_PASSWORD_BYTES:
            return None
        return await cast(Any, super()).authenticate(handler, data)

    def choose_password(self, username: str, password: str) -> None:
        """Set the password of an account, made if it is new, for a holder of its one-time password."""
        if not self.user_exists(username):
            # Not create_user: it obeys the sign-up setting, and this account was asked for from the shell.
            pages.add_account(self.db, username)
        self.change_password(username, password)
        self.one_time.spend(username)

    def get_handlers(self, app: Any) -> list[tuple[str, Any]]:
        """Return the native pages, with those replaced that need more than upstream's, and our own addresses."""
        ours = dict(pages.HANDLERS)
        native = [(path, ours.get(path, handler)) for path, handler in cast(Any, super()).get_handlers(app)]
        return [*native, *pages.API_HANDLERS]
