"""One-time passwords: each is good for one thing only, choosing a password.

A file per user in `<data>/secrets/one-time/`. Whoever may read that folder owns the instance anyway, so the
first admin's password can be shown again until it is used, and a lost password can be replaced from the shell.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
GROUPS, LENGTH = 4, 5  # 31^20, about 99 bits


class OneTime:
    """The one-time passwords of one data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "secrets" / "one-time"

    def make(self, user: str) -> str:
        """Make, keep and return a new one-time password for `user`, replacing an unused one."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        words = ("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(GROUPS))
        password = "-".join(words)
        with open(os.open(self._path(user), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
        return password

    def unused(self, user: str) -> str | None:
        """Return the one-time password `user` has not used yet, if any."""
        try:
            return self._path(user).read_text() or None
        except (OSError, ValueError):
            return None

    def matches(self, user: str, password: str) -> bool:
        """Tell whether `password` is the unused one-time password of `user`."""
        kept = self.unused(user)
        return kept is not None and hmac.compare_digest(kept.encode(), password.encode())

    def spend(self, user: str) -> None:
        """Make the one-time password of `user` void."""
        self._path(user).unlink(missing_ok=True)

    def _path(self, user: str) -> Path:
        if not user or "/" in user or user.startswith("."):
            raise ValueError("not a user's name")
        return self._folder / user
