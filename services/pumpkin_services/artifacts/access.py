"""What artifacts must know of the named things above it: who owns a version, and who may read or change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.principal import Principal

Kind = Literal["dataset", "algorithm", "model"]


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A named thing that has versions."""

    kind: Kind
    asset_id: str
    workspace: str
    name: str


class Access(Protocol):
    """The rules of one kind of named thing; `assets` implements it."""

    kind: Kind

    async def readable(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Owned:
        """Return the thing; raise `NotFound` unless the caller may see it."""
        ...

    async def writable(self, session: AsyncSession, principal: Principal, *, workspace: str, name: str) -> Owned:
        """Return the thing; raise `NotFound` or `Forbidden` unless the caller may change it."""
        ...


class Readable(Protocol):
    """Tells which of many named things, of any kind, the caller may read."""

    async def __call__(self, session: AsyncSession, principal: Principal, asset_ids: set[str]) -> set[str]:
        """Return the subset of `asset_ids` the caller may read."""
        ...
