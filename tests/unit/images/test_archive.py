"""A built environment sent as a tar works where it is unpacked, as in the cache of a cluster's node."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from pumpkin.errors import PumpkinError
from pumpkin.pod.cache import Cache
from pumpkin.pod.environment import Stream, unpack
from pumpkin_services.images.archive import ENVIRONMENT, JUPYTER, Archive
from pumpkin_services.images.kernels import activate
from pumpkin_services.images.views import EnvironmentRef
from tests.unit.images.conftest import Index, Platform


async def built(platform: Platform, index: Index) -> EnvironmentRef:
    index.wheel("hello", size=3 << 20)
    made = await platform.create("tools", ["hello"])
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
    return await platform.service.ensure_ready(version["id"])


def hello(environment: Path) -> str:
    return subprocess.run(["hello"], env=activate(environment), check=True, capture_output=True, text=True).stdout


def received(pieces: Iterable[bytes], folder: Path) -> None:
    unpack(Stream(iter(pieces)), folder, progress=lambda _: None)


async def test_it_runs_from_the_cache_it_is_unpacked_into(platform: Platform, index: Index, tmp_path: Path) -> None:
    archive = Archive(await built(platform, index))
    content = b"".join(archive.pieces())
    assert (len(content), b"".join([piece async for piece in archive.read()])) == (archive.size(), content)
    cut = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    told: list[int] = []
    where = Cache(tmp_path / "node").materialise(
        "images/e/versions/1", lambda folder: unpack(Stream(iter(cut)), folder, progress=told.append)
    )
    assert hello(where) == f"hello {where}\n"
    assert told == sorted(told)
    assert told[-1] <= len(content)
    # What Python itself lies behind is not touched, and nothing else can be written.
    assert os.readlink(where / "bin/python").startswith("/")
    assert not [path for path in where.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o222]


async def test_its_kernel_is_the_python_where_pods_have_it(platform: Platform, index: Index, tmp_path: Path) -> None:
    ref = await built(platform, index)
    received(Archive(ref).pieces(), tmp_path / "none")
    assert not (tmp_path / "none" / JUPYTER).exists()
    received(Archive(replace(ref, kernel=True)).pieces(), tmp_path / "one")
    [spec] = (tmp_path / "one" / JUPYTER / "kernels").glob("*/kernel.json")
    assert spec.parent.name == f"pumpkin-{ref.environment_id}"
    assert json.loads(spec.read_text())["argv"][0] == f"{ENVIRONMENT}/bin/python"


async def test_one_that_was_broken_off_is_begun_anew(platform: Platform, index: Index, tmp_path: Path) -> None:
    content = b"".join(Archive(await built(platform, index)).pieces())
    folder = tmp_path / "environment"
    with pytest.raises(PumpkinError, match="no whole archive"):
        received([content[: len(content) // 2]], folder)
    received([content], folder)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert sorted(tar.getnames()) == sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()
        )


@pytest.mark.parametrize("name", ["/etc/passwd", "../beside", "a/../../beside"])
def test_nothing_is_written_beside_the_folder(tmp_path: Path, name: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(PumpkinError, match="does not belong"):
        received([content.getvalue()], tmp_path / "environment")
    assert [path.name for path in tmp_path.iterdir()] == ["environment"]
