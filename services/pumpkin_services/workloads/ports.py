"""What workloads need of the other modules, in the shape they need it; the application fits the services in."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.principal import Principal


class PrincipalOf(Protocol):
    """Returns a user's principal by name, with scopes and workspaces; raises a `Problem` for who may not come in."""

    async def __call__(self, session: AsyncSession, *, user: str, field: str = "user") -> Principal:
        """Look the user up."""
        ...


class Version(Protocol):
    """A version that a reference means."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def workspace(self) -> str:
        """Whose it is."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def number(self) -> int:
        """From 1 up."""
        ...


class Assets(Protocol):
    """One kind of named things: datasets, algorithms or models."""

    async def resolve(self, session: AsyncSession, principal: Principal, reference: str, *, field: str) -> Version:
        """Return what a reference means to the caller; raise a `Problem` naming `field`."""
        ...


class Pins(Protocol):
    """Versions that may not vanish, each with the id of the workload that holds it."""

    async def pin(self, session: AsyncSession, version_id: str, holder: str) -> None:
        """Hold a version; one that is held already is fine."""
        ...

    async def unpin(self, session: AsyncSession, holder: str) -> None:
        """Let go of all that a workload holds."""
        ...
