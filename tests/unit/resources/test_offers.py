"""Who may use which spec for what: pools, kinds, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from pumpkin_services.db import Database
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from pumpkin_services.resources.models import PoolCreate, PoolPatch, SpecCreate, SpecPatch, SpecQuery
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.tables import SpecRow
from pumpkin_services.web import PageQuery
from tests.unit.resources.conftest import GIB, machine, person

ADMIN = person("root", admin=True)


@pytest.fixture
async def shop(database: Database, resources: ResourceService) -> ResourceService:
    """Two nodes; `small` for everyone, `big` for the lab, `huge` (fits nowhere) and `off` too."""
    async with database.write() as session:
        await resources.nodes.register(session, machine("cpu"))
        await resources.nodes.register(session, machine("gpu", cores=64, gib=512, gpus=4))
        for name, cores, gpus, enabled in (
            ("small", 1, 0, True),
            ("big", 16, 2, True),
            ("huge", 512, 0, True),
            ("off", 1, 0, False),
        ):
            spec = SpecCreate(name=name, cpu_milli=cores * 1000, memory=GIB, accelerators=gpus, enabled=enabled)
            await resources.create_spec(session, ADMIN, spec=spec)
        pools: list[dict[str, Any]] = [
            {"name": "all", "specs": ["small", "huge", "off"], "everyone": True},
            {"name": "lab", "nodes": ["gpu"], "specs": ["big"], "workspaces": ["lab"], "kinds": ["job"], "priority": 5},
            {"name": "named", "specs": ["big"], "users": ["cleo"], "hub_roles": ["staff"]},
        ]
        for pool in pools:
            await resources.create_pool(session, ADMIN, pool=PoolCreate(**pool))
    return resources


@pytest.mark.parametrize(
    ("who", "kind", "names"),
    [
        (person("ann"), "job", ["small", "huge"]),
        (person("ann"), "notebook", ["small", "huge"]),
        (person("bob", lab="member"), "job", ["small", "huge", "big"]),
        (person("bob", lab="viewer"), "notebook", ["small", "huge"]),
        (person("cleo"), "notebook", ["small", "huge", "big"]),
        (person("dan", roles=("staff",)), "job", ["small", "huge", "big"]),
        (ADMIN, "job", ["small", "huge"]),
    ],
)
async def test_offers_follow_the_pools(
    database: Database, shop: ResourceService, who: Principal, kind: Any, names: list[str]
) -> None:
    async with database.read() as session:
        offers = await shop.offers(session, who, kind=kind)
        assert [offer.spec.name for offer in offers] == names


async def test_a_pool_for_a_workspace_serves_only_what_that_workspace_owns(
    database: Database, shop: ResourceService
) -> None:
    bob = person("bob", lab="member")
    async with database.read() as session:
        offer = await shop.spec_for(session, bob, name="big", kind="job", workspace="lab")
        assert (offer.pool, [node.name for node in offer.nodes]) == ("lab", ["gpu"])
        with pytest.raises(Forbidden, match=r"for the workspace 'lab': run it there"):
            await shop.spec_for(session, bob, name="big", kind="job", workspace="bob")


@pytest.mark.parametrize(
    ("who", "name", "kind", "problem", "words"),
    [
        (person("ann"), "none", "job", Invalid, r"no spec 'none'\. You may use: small, huge"),
        (person("ann"), "off", "job", Invalid, "switched off"),
        (person("ann"), "big", "job", Forbidden, "for members of lab: ask an owner of that workspace"),
        (person("bob", lab="member"), "big", "notebook", Forbidden, "not offered for a notebook: an admin can allow"),
    ],
)
async def test_a_refusal_says_who_can_allow_it(
    database: Database, shop: ResourceService, who: Principal, name: str, kind: Any, problem: Any, words: str
) -> None:
    async with database.read() as session:
        with pytest.raises(problem, match=words) as caught:
            await shop.spec_for(session, who, name=name, kind=kind, field="roles.0.spec")
        assert caught.value.errors[0]["field"] == "roles.0.spec"


async def test_a_spec_that_can_never_fit_is_refused_naming_the_largest_that_would(
    database: Database, shop: ResourceService
) -> None:
    bob = person("bob", lab="member")
    async with database.read() as session:
        huge = await shop.spec_for(session, bob, name="huge", kind="job")
        with pytest.raises(
            Invalid, match=r"'huge' \(512 cores, 1 GiB\) can never fit .* is 'big' \(16 cores"
        ) as caught:
            await shop.require_fits(session, bob, wanted=[(huge, 1)], kind="job")
        assert caught.value.extra["largest"] == "big"


async def test_more_replicas_than_can_ever_start_together_are_refused_saying_how_many_can(
    database: Database, shop: ResourceService
) -> None:
    bob = person("bob", lab="member")
    async with database.read() as session:
        big = await shop.spec_for(session, bob, name="big", kind="job")
        await shop.require_fits(session, bob, wanted=[(big, 2)], kind="job")
        with pytest.raises(Invalid, match=r"5 replicas must start together, .* more than 2 of them"):
            await shop.require_fits(session, bob, wanted=[(big, 5)], kind="job")


async def test_a_drained_node_still_counts_for_what_can_ever_fit(database: Database, shop: ResourceService) -> None:
    bob = person("bob", lab="member")
    async with database.write() as session:
        await shop.nodes.drain(session, ADMIN, name="gpu", drained=True, reason="new disk", if_match=None)
        offer = await shop.spec_for(session, bob, name="big", kind="job")
        assert offer.possible
        assert [node.drained for node in await shop.capacity(session)] == [False, True]


async def test_a_running_workload_keeps_its_offer_when_the_price_changes(
    database: Database, shop: ResourceService
) -> None:
    async with database.write() as session:
        offer = await shop.spec_for(session, person("ann"), name="small", kind="job")
        changed = await shop.patch_spec(
            session, ADMIN, name="small", patch=SpecPatch(price_micro=5), if_match=offer.spec.revision
        )
        assert (offer.spec.price_micro, changed.price_micro, changed.revision) == (0, 5, 2)
        with pytest.raises(PreconditionFailed):
            await shop.patch_spec(session, ADMIN, name="small", patch=SpecPatch(price_micro=6), if_match=1)


async def test_names_are_taken_once_and_pools_hold_only_what_exists(database: Database, shop: ResourceService) -> None:
    async with database.write() as session:
        with pytest.raises(Conflict, match="already"):
            await shop.create_spec(session, ADMIN, spec=SpecCreate(name="small", cpu_milli=1, memory=1))
        with pytest.raises(Conflict, match="already"):
            await shop.create_pool(session, ADMIN, pool=PoolCreate(name="all"))
        with pytest.raises(Invalid, match="no spec 'gone'") as caught:
            await shop.patch_pool(session, ADMIN, name="all", patch=PoolPatch(specs=["small", "gone"]), if_match=None)
        assert caught.value.errors[0]["field"] == "specs.1"


async def test_a_deleted_spec_leaves_its_pools_unless_it_is_the_last(database: Database, shop: ResourceService) -> None:
    async with database.write() as session:
        await shop.delete_spec(session, ADMIN, name="huge", if_match=None)
        assert "huge" not in (await shop.get_pool(session, ADMIN, name="all")).specs
        with pytest.raises(Conflict, match="only spec of the pool"):
            await shop.delete_spec(session, ADMIN, name="big", if_match=None)


async def test_pools_of_others_are_not_shown_nor_who_else_is_in_them(database: Database, shop: ResourceService) -> None:
    async with database.read() as session:
        ann, cleo = person("ann"), person("cleo")
        assert [pool.name for pool in (await shop.list_pools(session, ann, query=PageQuery())).items] == ["all"]
        with pytest.raises(NotFound):
            await shop.get_pool(session, ann, name="lab")
        named = await shop.get_pool(session, cleo, name="named")
        assert (named.users, named.hub_roles) == (["cleo"], [])
        assert len((await shop.list_pools(session, ADMIN, query=PageQuery())).items) == 3


async def test_the_spec_list_shows_what_may_be_used_and_all_of_it_to_an_admin_who_asks(
    database: Database, shop: ResourceService
) -> None:
    async with database.read() as session:
        query = SpecQuery(all=True)
        mine = await shop.list_specs(session, person("ann"), query=query)
        assert [spec.name for spec in mine.items] == ["huge", "small"]
        assert len((await shop.list_specs(session, ADMIN, query=query)).items) == 4


async def test_what_one_may_not_use_is_listed_when_asked_for_and_refused_with_a_reason(
    database: Database, shop: ResourceService
) -> None:
    async with database.read() as session:
        ann = person("ann")
        listed = {spec.name for spec in (await shop.list_specs(session, ann, query=SpecQuery(forbidden=True))).items}
        off = {row.name for row in await session.scalars(select(SpecRow).where(~SpecRow.enabled))}
        usable = {offer.spec.name for offer in await shop.offers(session, ann, kind="job")}
        assert listed > usable
        assert not listed & off
        for name in listed - usable:
            with pytest.raises(Forbidden, match=f"'{name}'"):
                await shop.spec_for(session, ann, name=name, kind="job")


async def test_a_new_platform_is_seeded_once(database: Database, resources: ResourceService) -> None:
    async with database.write() as session:
        await resources.seed(session, node=machine(gpus=1))
        await resources.delete_spec(session, ADMIN, name="cpu-large", if_match=None)
    async with database.write() as session:
        await resources.seed(session, node=machine(gpus=1))
        offers = await resources.offers(session, person("ann"), kind="notebook")
        assert [offer.spec.name for offer in offers] == ["cpu-small", "h200-1"]


async def test_of_a_node_no_more_is_guaranteed_than_there_is(database: Database, shop: ResourceService) -> None:
    on_cluster = ResourceService(shares=True)
    async with database.write() as session:
        patch = PoolPatch(guarantee_percent=60)
        lab = await on_cluster.patch_pool(session, ADMIN, name="lab", patch=patch, if_match=None)
        assert lab.guarantee_percent == 60
    with pytest.raises(Invalid, match=r"110 % of the node 'gpu'.*lab 60 %.*may have 40 %") as refused:
        async with database.write() as session:
            await on_cluster.create_pool(session, ADMIN, pool=PoolCreate(name="more", guarantee_percent=50))
    assert refused.value.errors[0]["field"] == "guarantee_percent"
    async with database.write() as session:
        elsewhere = PoolCreate(name="more", nodes=["cpu"], guarantee_percent=50)
        await on_cluster.create_pool(session, ADMIN, pool=elsewhere)
        shares = await on_cluster.pool_shares(session)
    assert {name: share.guarantee_percent for name, share in shares.items()} == {
        "all": 0, "lab": 60, "named": 0, "more": 50,
    }  # fmt: skip


@pytest.fixture
async def labs(database: Database, shop: ResourceService) -> ResourceService:
    """On a cluster: the pool `lab`, half of `gpu` guaranteed to it, has parts `vision` and `nlp`."""
    on_cluster = ResourceService(shares=True)
    async with database.write() as session:
        half = PoolPatch(guarantee_percent=50)
        await on_cluster.patch_pool(session, ADMIN, name="lab", patch=half, if_match=None)
        for name, percent in (("vision", 30), ("nlp", 20)):
            part = PoolCreate(name=name, parent="lab", specs=["big"], users=[name], guarantee_percent=percent)
            await on_cluster.create_pool(session, ADMIN, pool=part)
    return on_cluster


async def test_a_part_of_a_pool_has_its_nodes(database: Database, labs: ResourceService) -> None:
    async with database.write() as session:
        assert (await labs.pool_shares(session))["vision"].nodes == {"gpu"}
        offers = {offer.pool: offer for offer in await labs.offers(session, person("vision"), kind="job")}
        assert [node.name for node in offers["vision"].nodes] == ["gpu"]
        await labs.patch_pool(session, ADMIN, name="lab", patch=PoolPatch(nodes=["cpu", "gpu"]), if_match=None)
        assert (await labs.pool_shares(session))["vision"].nodes == {"cpu", "gpu"}


@pytest.mark.parametrize(
    ("pool", "patch", "field", "words"),
    [
        ("vision", {"guarantee_percent": 31}, "guarantee_percent",
         "51 % of the node 'gpu' would be guaranteed within 'lab', which has 50 % (nlp 20 %): this pool may have 30 %"),
        ("lab", {"guarantee_percent": 40}, "guarantee_percent", "as its parts have it, this pool needs 50 %"),
        ("vision", {"parent": "vision"}, "parent", "part of itself"),
        ("lab", {"parent": "nlp"}, "parent", "part of itself"),
        ("lab", {"parent": "none"}, "parent", "no pool 'none'"),
        ("vision", {"nodes": ["gpu", "cpu"]}, "nodes.1", "'cpu' is not one of the pool 'lab'"),
        ("vision", {"deserved_percent": 31}, "deserved_percent",
         "51 % of the node 'gpu' would be deserved within 'lab', which has 50 % (nlp 20 %): this pool may have 30 %"),
    ],
)  # fmt: skip
async def test_parts_of_a_pool_share_what_it_has(
    database: Database, labs: ResourceService, pool: str, patch: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        async with database.write() as session:
            await labs.patch_pool(session, ADMIN, name=pool, patch=PoolPatch(**patch), if_match=None)
    assert words in str(refused.value)
    assert refused.value.errors[0]["field"] == field


async def test_a_pool_stays_while_it_has_parts(database: Database, labs: ResourceService) -> None:
    with pytest.raises(Conflict, match="nlp, vision"):
        async with database.write() as session:
            await labs.delete_pool(session, ADMIN, name="lab", if_match=None)
    async with database.write() as session:
        for name in ("nlp", "vision"):
            await labs.patch_pool(session, ADMIN, name=name, patch=PoolPatch(parent=""), if_match=None)
        await labs.delete_pool(session, ADMIN, name="lab", if_match=None)


@pytest.mark.parametrize(
    ("field", "value"), [("guarantee_percent", 1), ("deserved_percent", 1), ("reclaimable", True), ("parent", "all")]
)
async def test_one_machine_has_no_shares(database: Database, shop: ResourceService, field: str, value: Any) -> None:
    with pytest.raises(Invalid, match="on a cluster") as refused:
        async with database.write() as session:
            await shop.create_pool(session, ADMIN, pool=PoolCreate.model_validate({"name": "more", field: value}))
    assert refused.value.errors[0]["field"] == field
