"""The one error this package raises for a refusal or a failed connection."""

from __future__ import annotations

from typing import Any


class PumpkinError(Exception):
    """What the platform answered instead of doing as asked; `str()` of it is one sentence to act on.

    `field` is the JSON path of the offending input (`roles.0.spec`) or None, `reason` a stable word for
    programs, `status` the HTTP status (0 when nothing answered). `extra` holds the other members of the
    problem document.
    """

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        reason: str = "error",
        status: int = 0,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.reason = reason
        self.status = status
        self.extra = extra or {}

    def __str__(self) -> str:
        # A field that is already named in the sentence is not said twice.
        return self.detail if not self.field or self.field in self.detail else f"{self.field}: {self.detail}"
