"""Versions that differ a little from the newest: by the client's `edit`, and through the filesystem."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpkin import Client, PumpkinError
from pumpkin.fs import PumpkinFileSystem
from tests.integration.house import House


@pytest.fixture(scope="module")
def client(platform: House) -> Iterator[Client]:
    with Client(platform.url, platform.user("editor").token) as made:
        yield made


@pytest.fixture
def fs(client: Client) -> PumpkinFileSystem:
    return PumpkinFileSystem(client.config.url, client.config.token, skip_instance_cache=True)


def contents(client: Client, reference: str) -> dict[str, bytes]:
    return {path: client.datasets.read(reference, path) for path in client.datasets.manifest(reference)}


def test_an_edit_changes_what_it_names_and_nothing_else(client: Client, tmp_path: Path):
    files = {name: tmp_path / name for name in ("a", "b", "large")}
    files["a"].write_bytes(b"1")
    files["b"].write_bytes(b"2")
    files["large"].write_bytes(os.urandom(5 << 20))
    assert client.datasets.edit("edited", {"a": files["a"], "d/b": files["b"]}, type="text").number == 1
    made = client.datasets.edit("edited", {"a": None, "d/b": files["a"], "large": files["large"]})
    large = files["large"].read_bytes()
    assert contents(client, "edited@1") == {"a": b"1", "d/b": b"2"}
    assert contents(client, "edited@2") == {"d/b": b"1", "large": large}
    assert (made.number, made.files) == (2, 2)
    assert len(client.datasets.manifest("edited")["large"]["chunks"]) > 1
    line = client.datasets.manifest("edited@2")["large"]
    client.datasets.edit("copied", {"x/large": line, "same": line})
    assert contents(client, "copied") == {"x/large": large, "same": large}


def test_an_edit_that_cannot_be_is_refused_and_makes_none(client: Client, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"1")
    client.datasets.edit("refused", {"a": tmp_path / "a"})
    cases = (
        ({"a": None}, "one file at least"),
        ({"none": None, "b": tmp_path / "a"}, "no such file"),
        ({"a/b": tmp_path / "a"}, "below a file"),
        ({"../b": tmp_path / "a"}, "leads out"),
        ({"b": {"path": "b", "size": 1, "mode": 420, "sha256": "0" * 64, "chunks": [{"hash": "0" * 64, "size": 1}]}},
         "was not sent"),
    )  # fmt: skip
    for changes, says in cases:
        with pytest.raises(PumpkinError, match=says):
            client.datasets.edit("refused", changes)
    with pytest.raises(FileNotFoundError):
        client.datasets.edit("refused", {"b": tmp_path / "none"})
    assert client.datasets.get("refused").latest == 1
    assert client.request("GET", "/datasets/editor/refused/uploads").json()["items"] == []


def test_the_filesystem_changes_several_things_in_one_version(client: Client, fs: PumpkinFileSystem):
    fs.pipe({"datasets/box/a": b"a", "datasets/box/d/b": b"b", "datasets/box/d/c": b"c"})
    assert client.datasets.get("box").latest == 1
    with fs.transaction:
        fs.mv("datasets/box/a", "datasets/box/moved")
        fs.cp("datasets/box/d/b", "datasets/other/b")
        fs.rm("datasets/box/d/c")
        assert fs.exists("datasets/box/a")  # until the end
    assert contents(client, "box@2") == {"moved": b"a", "d/b": b"b"}
    assert contents(client, "other@1") == {"b": b"b"}
    with pytest.raises(IsADirectoryError):
        fs.rm("datasets/box/d")
    fs.rm("datasets/box/d", recursive=True)
    assert fs.find("datasets/box") == ["datasets/box/moved"]
    for path in ("datasets/box@1/x", "datasets/box"):
        with pytest.raises(ValueError, match="without a version"):
            fs.pipe(path, b"")
    with pytest.raises(FileNotFoundError):
        fs.cp("datasets/box/none", "datasets/box/x")
    with pytest.raises(ValueError, match="not possible"):
        fs.open("datasets/box/moved", "ab")
    assert client.datasets.get("box").latest == 3
