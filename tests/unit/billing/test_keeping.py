from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pumpkin_services.accounts.service import AccountService
from pumpkin_services.accounts.tables import UserRow, WorkspaceRow
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.billing.keeping import Keeping, Stored, StoredQuery
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.problems import Forbidden, Invalid
from pumpkin_services.resources.limits import LimitService
from pumpkin_services.resources.models import LimitValues
from tests.unit.artifacts.support import World, make_world
from tests.unit.billing.conftest import NO_HUB


@dataclass
class Shelf:
    """A content store with `ann`, `bob` and their workspace `lab`, and who keeps how much of it."""

    world: World
    keeping: Keeping
    limits: LimitService

    async def dataset(self, name: str, workspace: str) -> Owned:
        owned = await self.world.dataset(name)
        return Owned(kind="dataset", asset_id=owned.asset_id, workspace=workspace, name=name)

    async def stored(self, principal: Principal, **query: object) -> dict[str, int]:
        async with self.world.database.read() as session:
            page = await self.keeping.stored(session, principal, query=StoredQuery.model_validate(query))
        return {item.workspace: item.bytes for item in page.items}


def member(name: str, *workspaces: str) -> Principal:
    roles = dict.fromkeys((name, *workspaces), "owner")
    return Principal(name=name, scopes=frozenset({f"{PREFIX}billing:read"}), workspaces=roles)  # type: ignore[arg-type]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with make_world(tmp_path) as world:
        async with world.database.write() as session:
            session.add_all([UserRow(name="ann"), UserRow(name="bob"), WorkspaceRow(name="lab")])
        accounts = AccountService(database=world.database, hub=HubClient(api_url=NO_HUB, token="x", patience=0))
        limits = LimitService()
        yield Shelf(world, Keeping(accounts=accounts, limits=limits, currency="¥", price="0.25"), limits)


async def test_what_is_listed_is_what_counts_against_the_limit(shelf: Shelf, admin: Principal) -> None:
    digits, waves = await shelf.dataset("digits", "ann"), await shelf.dataset("waves", "lab")
    first = await shelf.world.capture(digits, {"a": b"a" * 1000, "b": b"b" * 500})
    await shelf.world.capture(digits, {"a": b"a" * 1000, "b": b"B" * 500})
    await shelf.world.capture(waves, {"w": b"w" * 9000})
    async with shelf.world.database.read() as session:
        counted = {name: await shelf.world.artifacts.stored_bytes(session, name) for name in ("ann", "lab", "bob")}
    assert counted["lab"] > 9000
    assert counted["ann"] > 2000  # what the versions share counts once
    assert await shelf.stored(member("ann", "lab")) == {"lab": counted["lab"], "ann": counted["ann"]}
    assert await shelf.stored(member("bob")) == {"bob": 0}
    assert await shelf.stored(admin, all=True) == {"lab": counted["lab"], "ann": counted["ann"]}

    async with shelf.world.database.write() as session:
        await shelf.world.artifacts.delete_version(session, first)
        left = await shelf.world.artifacts.stored_bytes(session, "ann")
    assert left < counted["ann"]
    assert (await shelf.stored(member("ann")))["ann"] == left


async def test_the_detail_says_who_sent_it_under_which_limit_and_at_what_price(shelf: Shelf, admin: Principal) -> None:
    lab = await shelf.dataset("waves", "lab")
    await shelf.world.capture(lab, {"w": b"w" * 100})
    folder = shelf.world.root / "bobs"
    folder.mkdir()
    (folder / "x").write_bytes(b"x" * 5000)
    await shelf.world.artifacts.ingest.capture(folder, owned=lab, creator="bob", source="s")
    async with shelf.world.database.write() as session:
        values = LimitValues(running=None, queued=None, accelerators=None, storage_bytes=1 << 20)
        await shelf.limits.set_limit(session, admin, kind="workspace", subject="*", values=values, if_match=None)
        found = await shelf.keeping.stored_of(session, member("ann", "lab"), workspace="lab")
        nothing = await shelf.keeping.stored_of(session, admin, workspace="bob")
        with pytest.raises(Forbidden):
            await shelf.keeping.stored_of(session, member("eve"), workspace="lab")
        with pytest.raises(Invalid, match="no workspace 'nowhere'"):
            await shelf.keeping.stored_of(session, admin, workspace="nowhere")
    assert (found.versions, found.limit_bytes, found.price_micro) == (2, 1 << 20, 250_000)
    assert [share.creator for share in found.people] == ["bob", "lab"]
    assert sum(share.bytes for share in found.people) == found.bytes
    assert (nothing.bytes, nothing.versions, nothing.people) == (0, 0, [])


async def test_pages_follow_each_other_whatever_they_keep(shelf: Shelf, admin: Principal) -> None:
    names = ["ann", "lab", "bob", "c", "d"]
    for at, name in enumerate(names):
        size = 1000 * (at // 2 + 1)  # some keep the same
        await shelf.world.capture(await shelf.dataset(f"set-{name}", name), {"f": name[:1].encode() * size})
    whole = await shelf.stored(admin, all=True)
    pages: list[Stored] = []
    cursor: str | None = None
    async with shelf.world.database.read() as session:
        while True:
            page = await shelf.keeping.stored(session, admin, query=StoredQuery(all=True, limit=2, cursor=cursor))
            pages += page.items
            cursor = page.next
            if cursor is None:
                break
        with pytest.raises(Invalid, match="cursor"):
            await shelf.keeping.stored(session, admin, query=StoredQuery(cursor="eA"))
        with pytest.raises(Forbidden):
            await shelf.keeping.stored(session, member("bob"), query=StoredQuery(workspace=["lab"]))
    assert [item.workspace for item in pages] == list(whole)
    assert sorted(whole) == sorted(names)
    assert sorted(whole.values(), reverse=True) == list(whole.values())
    assert list(await shelf.stored(admin, all=True, q="la")) == ["lab"]
    assert await shelf.stored(member("bob"), all=True) == {"bob": whole["bob"]}


@pytest.mark.parametrize("price", ["-1", "a lot", "0.0000001", "9" * 30])
def test_a_price_that_is_none_is_refused_at_the_start(price: str) -> None:
    with pytest.raises(ValueError, match="storage_price"):
        Keeping(accounts=None, limits=LimitService(), currency="¥", price=price)  # type: ignore[arg-type]
