"""What an admin has taken down: hidden, until restored, from everybody but its own workspace, which is told why."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict
from pumpkin_services.web.wire import Wire

REASON = 1000


class TakeDown(Wire):
    """Why it is taken down; its workspace is shown it."""

    reason: str = Field(min_length=1, max_length=REASON, pattern=r"\S", description="Shown to its workspace.")


class TakenDown(Wire):
    """Since when, by whom and why it is hidden from everybody but its workspace."""

    time: datetime
    by: str
    reason: str


class Hideable:
    """The columns of rows an admin can take down; all NULL while it is up."""

    taken_down: Mapped[datetime | None]
    taken_down_by: Mapped[str | None] = mapped_column(String(255))
    taken_down_reason: Mapped[str | None] = mapped_column(String(REASON))

    def take_down(self, principal: Principal, reason: str) -> None:
        """Hide it; a second time replaces the reason."""
        self.taken_down, self.taken_down_by, self.taken_down_reason = utcnow(), principal.name, reason

    def restore(self) -> None:
        """Show it again to those it was shown to."""
        self.taken_down = self.taken_down_by = self.taken_down_reason = None

    def notice(self) -> TakenDown | None:
        """Return what its workspace is told."""
        if self.taken_down is None:
            return None
        return TakenDown(time=self.taken_down, by=self.taken_down_by or "", reason=self.taken_down_reason or "")

    def require_up(self, action: str) -> None:
        """Raise `Conflict` unless it is up."""
        if self.taken_down is not None:
            raise Conflict(f"It is taken down: restore it before you {action}.", field="preset", reason="taken_down")
