"""Versions go by their thing's rule, and what is in use, the newest and what models were made from stay."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.models import Version
from pumpkin_services.artifacts.tables import VersionRow
from pumpkin_services.assets.retention import Retention, RetentionRule, outside
from pumpkin_services.db import utcnow
from pumpkin_services.models.models import Lineage
from pumpkin_services.problems import Forbidden, NotFound
from pumpkin_services.web.tables import AuditRow
from tests.unit.artifacts.support import Site, World, principal

NOW = datetime(2026, 11, 29, tzinfo=UTC)
DAY = timedelta(days=1)


def keeper(world: World) -> Retention:
    return Retention(artifacts=world.artifacts, ancestors=world.models.made_from)


async def versions(world: World, owned: Owned, count: int) -> list[str]:
    """Make `count` versions, each a day older than the next; the newest is of today."""
    made = [await world.capture(owned, {"f": f"{owned.name} {number}".encode()}) for number in range(count)]
    async with world.database.write() as session:
        for age, version_id in enumerate(reversed(made)):
            moved = update(VersionRow).where(VersionRow.id == version_id)
            await session.execute(moved.values(committed=utcnow() - age * DAY))
    return made


async def rule(world: World, owned: Owned, last: int | None = None, days: int | None = None) -> None:
    service = {"dataset": world.datasets, "model": world.models}[owned.kind]
    async with world.database.write() as session:
        wanted = RetentionRule(keep_last=last, keep_days=days)
        caller = principal(owned.workspace)
        await service.set_retention(
            session, caller, workspace=owned.workspace, name=owned.name, rule=wanted, if_match=None
        )


async def left(world: World, owned: Owned) -> list[int]:
    query = select(VersionRow.number).where(VersionRow.asset_id == owned.asset_id, VersionRow.state == "ready")
    async with world.database.read() as session:
        return [number or 0 for number in await session.scalars(query.order_by(VersionRow.number))]


@given(
    ages=st.lists(st.integers(0, 100), max_size=12),
    last=st.none() | st.integers(1, 12),
    days=st.none() | st.integers(1, 100),
)
def test_a_version_goes_when_no_part_of_the_rule_keeps_it(ages: list[int], last: int | None, days: int | None) -> None:
    found = [
        Version(
            id=str(at), number=len(ages) - at, state="ready", files=1, bytes=1, manifest_hash=None, creator="ann",
            created=NOW, committed=NOW - age * DAY,
        )
        for at, age in enumerate(ages)
    ]  # fmt: skip
    gone = {version.id for version in outside(found, RetentionRule(keep_last=last, keep_days=days), now=NOW)}
    for at, (version, age) in enumerate(zip(found, ages, strict=True)):
        kept = at == 0 or (last is None and days is None)
        kept = kept or (last is not None and at < last) or (days is not None and age < days)
        assert (version.id not in gone) == kept


async def test_without_a_rule_everything_stays(world: World) -> None:
    owned = await world.dataset()
    await versions(world, owned, 3)
    assert await keeper(world).apply(now=utcnow() + 1000 * DAY) == 0
    assert await left(world, owned) == [1, 2, 3]


async def test_each_version_that_goes_leaves_an_audit_line_and_its_number_is_never_used_again(world: World) -> None:
    owned, other = await world.dataset(), await world.dataset("other")
    await versions(world, owned, 5)
    await versions(world, other, 2)
    await rule(world, owned, last=2)
    # Several replicas at once.
    assert sum(await asyncio.gather(*(keeper(world).apply(now=utcnow()) for _ in range(3)))) == 3
    assert await keeper(world).apply(now=utcnow()) == 0
    assert await left(world, owned) == [4, 5]
    assert await left(world, other) == [1, 2]
    async with world.database.read() as session:
        lines = list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [line.object for line in lines] == [f"ann/digits/{number}" for number in (1, 2, 3)]
    assert {(line.actor, line.kind, line.owner, line.detail["keep_last"]) for line in lines} == {
        ("pumpkin", "service", "ann", 2)
    }
    await world.capture(owned, {"f": b"new"})
    assert await keeper(world).apply(now=utcnow()) == 1
    assert await left(world, owned) == [5, 6]


async def test_the_young_and_the_last_are_kept(world: World) -> None:
    owned = await world.dataset()
    await versions(world, owned, 6)
    await rule(world, owned, last=1, days=3)
    now = utcnow()
    await keeper(world).apply(now=now)
    assert await left(world, owned) == [4, 5, 6]
    await rule(world, owned, days=3)
    await keeper(world).apply(now=now + 100 * DAY)
    assert await left(world, owned) == [6]  # the newest stays, however old


async def test_what_a_workload_holds_stays_until_it_lets_go(world: World) -> None:
    owned = await world.dataset()
    made = await versions(world, owned, 4)
    await rule(world, owned, last=1)
    async with world.database.write() as session:
        await world.artifacts.pin(session, made[1], "job")
    await keeper(world).apply(now=utcnow())
    assert await left(world, owned) == [2, 4]
    async with world.database.write() as session:
        await world.artifacts.unpin(session, "job")
    await keeper(world).apply(now=utcnow())
    assert await left(world, owned) == [4]


async def test_what_a_model_was_made_from_stays_as_long_as_the_model(world: World) -> None:
    owned, namesake = await world.dataset(), await world.dataset(who="bob")
    for one in (owned, namesake):
        await versions(world, one, 4)
        await rule(world, one, last=1)
    folder = world.root / "out"
    folder.mkdir()
    (folder / "weights").write_bytes(b"w")
    lineage = Lineage(
        job="j", job_name="train", attempt=1, code="", datasets=["ann/digits@2", "bob/digits-more@1"], models=[],
        environment="", parameters={}, metrics={},
    )  # fmt: skip
    published = await world.models.publish(
        folder, workspace="ann", creator="ann", name="net", source="j/1", lineage=lineage
    )
    assert published is not None
    await keeper(world).apply(now=utcnow())
    assert await left(world, owned) == [2, 4]
    assert await left(world, namesake) == [4]
    async with world.database.write() as session:
        await world.artifacts.delete_version(session, published.version.id)
    await keeper(world).apply(now=utcnow())
    assert await left(world, owned) == [4]


async def test_a_preview_says_what_would_go_and_why_something_stays(world: World) -> None:
    owned = await world.dataset()
    world.datasets.ancestors = world.models.made_from
    made = await versions(world, owned, 4)
    where = {"workspace": "ann", "name": "digits"}
    async with world.database.write() as session:
        await world.artifacts.pin(session, made[0], "job")
    async with world.database.read() as session:
        wanted = RetentionRule(keep_last=1)
        found = await world.datasets.preview_retention(session, principal("ann"), **where, rule=wanted)
        nothing = await world.datasets.preview_retention(session, principal("ann"), **where, rule=RetentionRule())
        with pytest.raises(NotFound):
            await world.datasets.preview_retention(session, principal("bob"), **where, rule=wanted)
    assert [(item.number, item.stays) for item in found.items] == [(3, None), (2, None), (1, "in_use")]
    assert (found.removed, found.removed_bytes, found.staying) == (2, 16, 1)
    assert nothing.items == []
    assert await left(world, owned) == [1, 2, 3, 4]


async def test_only_who_may_change_a_thing_sets_its_rule(world: World) -> None:
    owned = await world.dataset()
    async with world.database.write() as session:
        shared = world.datasets.wire_patch(visibility="everyone")
        await world.datasets.patch(
            session, principal("ann"), workspace="ann", name="digits", request=shared, if_match=None
        )
        with pytest.raises(Forbidden):
            await world.datasets.set_retention(
                session,
                principal("bob"),
                workspace="ann",
                name="digits",
                rule=RetentionRule(keep_last=1),
                if_match=None,
            )
    await rule(world, owned, last=7)


async def test_over_the_api_a_rule_is_set_shown_previewed_and_lifted(site: Site) -> None:
    owned = await site.world.dataset()
    await versions(site.world, owned, 3)
    async with site.client("ann") as ann:
        answer: httpx.Response = await ann.put("/datasets/ann/digits/retention", json={"keep_last": 2})
        assert (answer.status_code, answer.json()["keep_last"], answer.json()["keep_days"]) == (200, 2, None)
        assert (await ann.get("/datasets/ann/digits")).json()["keep_last"] == 2
        seen = (await ann.get("/datasets/ann/digits/retention/preview", params={"keep_days": 2})).json()
        assert [item["number"] for item in seen["items"]] == [1]
        for wrong in ({"keep_last": 0}, {"keep_days": -1}, {"keep": 3}):
            assert (await ann.put("/datasets/ann/digits/retention", json=wrong)).status_code == 422
        stale = await ann.put("/datasets/ann/digits/retention", json={}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        assert (await ann.put("/datasets/ann/digits/retention", json={})).json()["keep_last"] is None
    await keeper(site.world).apply(now=utcnow())
    assert await left(site.world, owned) == [1, 2, 3]
