"""What a job leaves behind becomes a model version once, with its lineage."""

from __future__ import annotations

import asyncio

from pumpkin_services.models.models import Lineage
from tests.unit.artifacts.support import Site, write_files

LINEAGE = Lineage(
    job="01job",
    job_name="train",
    attempt=1,
    code="ann/code@1",
    datasets=["ann/digits@3"],
    environment="preset/base@1",
    parameters={"lr": 0.1},
    metrics={"accuracy": 0.97},
)


async def test_an_output_folder_is_published_once_with_its_lineage(site: Site) -> None:
    models, out = site.world.models, site.world.root / "out"
    write_files(out, {"model.bin": b"weights"})
    same = {"workspace": "ann", "creator": "ann", "name": "digits", "lineage": LINEAGE}
    first = await models.publish(out, source="01job/1", **same)
    again = await models.publish(out, source="01job/1", **same)
    other = await models.publish(out, source="01job/2", **same)
    assert first is not None
    assert other is not None
    assert first == again
    assert (first.version.reference, other.version.reference) == ("ann/digits@1", "ann/digits@2")
    async with site.client("ann") as ann:
        got = (await ann.get("/models/ann/digits/versions/1/lineage")).json()
        assert got.pop("created")
        assert got == LINEAGE.model_dump(exclude={"created"})
        assert (await ann.get("/models/ann/digits/versions/1/files/model.bin")).content == b"weights"


async def test_an_empty_output_makes_no_model(site: Site) -> None:
    out = site.world.root / "out"
    (out / "deep").mkdir(parents=True)
    made = await site.world.models.publish(
        out, workspace="ann", creator="ann", name="digits", source="s", lineage=Lineage()
    )
    assert made is None


async def test_two_who_publish_the_same_source_make_one_version(site: Site) -> None:
    models, out = site.world.models, site.world.root / "out"
    write_files(out, {f"f{number}": b"x" * number for number in range(50)})

    async def publish() -> object:
        return await models.publish(
            out, workspace="ann", creator="ann", name="digits", source="s", lineage=Lineage(job="01job")
        )

    results = await asyncio.gather(*(publish() for _ in range(3)), return_exceptions=True)
    assert any(not isinstance(result, BaseException) for result in results)
    again = await publish()
    assert again is not None
    async with site.client("ann") as ann:
        assert (await ann.get("/models/ann/digits")).json()["versions"] == 1
