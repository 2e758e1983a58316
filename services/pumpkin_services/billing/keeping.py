"""What workspaces keep in the store: who keeps how much, under which limit and at what price."""

from __future__ import annotations

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.accounts.service import AccountService
from pumpkin_services.artifacts.kept import kept_by_people, kept_bytes, kept_versions
from pumpkin_services.billing.models import Workspace
from pumpkin_services.billing.money import micro
from pumpkin_services.billing.service import require_view
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Invalid
from pumpkin_services.resources.limits import LimitService
from pumpkin_services.web import Page, PageQuery, Wire
from pumpkin_services.web.paging import decode_cursor, encode_cursor


class Stored(Wire):
    """What one workspace keeps. `bytes` is what counts against its limit: what versions share counts once."""

    workspace: str
    bytes: int
    versions: int
    limit_bytes: int | None = Field(description="Null: no limit.")
    price_micro: int = Field(description="Per GiB and day (UTC), in millionths of the currency unit.")
    currency: str


class StoredShare(Wire):
    """The part of a workspace's bytes that one person sent."""

    creator: str
    bytes: int


class StoredDetail(Stored):
    """What one workspace keeps, and who sent it."""

    people: list[StoredShare] = Field(description="The most first.")


class StoredQuery(PageQuery):
    """Filters of the list of what is kept, the most first."""

    all: bool = Field(default=False, description="Every workspace that keeps anything (admins only).")
    workspace: list[Workspace] = Field(default=[], max_length=500, description="Just these.")


class Keeping:
    """Who keeps how much. `price` is a decimal in whole units of the currency per GiB and day (UTC)."""

    def __init__(self, *, accounts: AccountService, limits: LimitService, currency: str, price: str) -> None:
        self._accounts = accounts
        self._limits = limits
        self._currency = currency
        try:
            self.price_micro = micro(price)
        except ValueError as error:
            raise ValueError(f"The setting storage_price: {error}.") from error
        if not 0 <= self.price_micro <= 10**15:
            raise ValueError(f"The setting storage_price: '{price}' is no price.")

    async def stored(self, session: AsyncSession, principal: Principal, *, query: StoredQuery) -> Page[Stored]:
        """Return what the caller's workspaces keep; to an admin who asks, every workspace that keeps anything."""
        if query.workspace:
            for name in query.workspace:
                require_view(principal, name)
            asked = sorted(set(query.workspace))
            found = dict.fromkeys(asked, 0) | await kept_bytes(session, asked)
        elif query.all and principal.admin("billing"):
            found = await kept_bytes(session)
        else:
            own = sorted(principal.workspaces)
            found = dict.fromkeys(own, 0) | await kept_bytes(session, own)
        order = sorted((-size, name) for name, size in found.items() if (query.q or "") in name)
        if query.cursor is not None:
            after = _position(query.cursor)
            order = [place for place in order if place > after]
        page = order[: query.limit]
        items = await self._wires(session, {name: -size for size, name in page})
        more = len(order) > len(page)
        return Page(items=items, next=encode_cursor(f"{-page[-1][0]}/{page[-1][1]}") if more else None)

    async def stored_of(self, session: AsyncSession, principal: Principal, *, workspace: str) -> StoredDetail:
        """Return what one workspace keeps, and who sent it."""
        require_view(principal, workspace)
        if workspace not in principal.workspaces:
            await self._accounts.require_workspace(session, workspace, field="workspace")
        people = await kept_by_people(session, workspace)
        (item,) = await self._wires(session, {workspace: sum(people.values())})
        order = sorted(people.items(), key=lambda share: (-share[1], share[0]))
        shares = [StoredShare(creator=creator, bytes=size) for creator, size in order]
        return StoredDetail(**item.model_dump(), people=shares)

    async def _wires(self, session: AsyncSession, sizes: dict[str, int]) -> list[Stored]:
        limits = await self._limits.limits(session, kind="workspace", subjects=sizes)
        versions = await kept_versions(session, list(sizes))
        return [
            Stored(
                workspace=name,
                bytes=size,
                versions=versions.get(name, 0),
                limit_bytes=limits[name].storage_bytes,
                price_micro=self.price_micro,
                currency=self._currency,
            )
            for name, size in sizes.items()
        ]


def _position(cursor: str) -> tuple[int, str]:
    size, slash, name = decode_cursor(cursor).partition("/")
    if not slash or not (size.isascii() and size.isdigit()) or len(size) > 19:
        raise Invalid("This cursor is not one a page handed out: start again without it.", field="cursor")
    return -int(size), name
