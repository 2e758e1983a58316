"""Archives made to do harm are refused with a sentence and leave nothing; honest ones are kept whole."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from sqlalchemy import func, select

from pumpkin_services.artifacts import archives
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionRow
from pumpkin_services.problems import Problem
from tests.unit.artifacts.support import World, principal


def make_zip(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def make_tar(*members: tuple[tarfile.TarInfo, bytes], compression: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:  # pyright: ignore
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def zip_special(name: str, mode: int, content: bytes = b"x") -> bytes:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return make_zip((entry, content))


def zip_raw_name(name: bytes) -> bytes:
    """Write a name zipfile itself would not write, without the UTF-8 flag."""
    return make_zip(("A" * len(name), b"x")).replace(b"A" * len(name), name)


def zip_encrypted() -> bytes:
    data = bytearray(make_zip(("a", b"x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    return bytes(data)


def broken_zip() -> bytes:
    data = bytearray(make_zip(("a", os.urandom(100))))
    data[40] ^= 255
    return bytes(data)


def zip_bomb() -> bytes:
    return make_zip(*((f"{number}", bytes(64 << 20)) for number in range(20)))


def tar_bomb(packer: Callable[[io.BytesIO], Any] = lambda buffer: gzip.GzipFile(None, "wb", 1, buffer)) -> bytes:
    """A gigabyte and more of zeros in about a mebibyte, compressed piece by piece."""
    buffer = io.BytesIO()
    with packer(buffer) as packed:
        header = info("zeros")
        header.size = 5 << 30
        packed.write(header.tobuf())
        for _ in range(20):
            packed.write(bytes(64 << 20))
    return buffer.getvalue()


def tar_huge_header() -> bytes:
    member = info("pax", tarfile.XHDTYPE)
    member.size = 1 << 30
    return member.tobuf() + bytes(1024)


HOSTILE: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("zip-slip", "zip", lambda: make_zip(("../../etc/passwd", b"x")), "leads out"),
    ("zip-slip inside", "zip", lambda: make_zip(("a/../../b", b"x")), "leads out"),
    ("absolute", "zip", lambda: make_zip(("/etc/passwd", b"x")), "absolute"),
    ("drive", "zip", lambda: make_zip(("C:/x", b"x")), "absolute"),
    ("backslash", "zip", lambda: make_zip(("..\\x", b"x")), "backslash"),
    ("NUL", "zip", lambda: zip_raw_name(b"a\x00b"), "control character"),
    ("newline", "zip", lambda: make_zip(("a\nb", b"x")), "control character"),
    ("not UTF-8", "zip", lambda: zip_raw_name(b"\xff\xfe"), "not UTF-8"),
    ("overlong part", "zip", lambda: make_zip(("n" * 256, b"x")), "longer than 255"),
    ("overlong path", "zip", lambda: make_zip(("/".join(["d" * 100] * 11), b"x")), "longer than 1024"),
    ("twice", "zip", lambda: make_zip(("a", b"1"), ("a", b"2")), "twice"),
    ("file as folder", "zip", lambda: make_zip(("a", b"1"), ("a/b", b"2")), "below a file"),
    ("link out", "zip", lambda: zip_special("l", stat.S_IFLNK | 0o777, b"../../etc"), "leads out"),
    ("link absolute", "zip", lambda: zip_special("l", stat.S_IFLNK | 0o777, b"/etc/passwd"), "leads out"),
    ("device", "zip", lambda: zip_special("d", stat.S_IFCHR | 0o600), "special file"),
    ("folder out", "zip", lambda: make_zip(("../d/", b"")), "outside"),
    ("encrypted", "zip", zip_encrypted, "encrypted"),
    ("broken", "zip", broken_zip, "not a whole zip"),
    ("cut off", "zip", lambda: make_zip(("a", b"x"))[:-30], "not a whole zip"),
    ("a tar", "zip", lambda: make_tar((info("a"), b"x")), "not a whole zip"),
    ("empty body", "zip", lambda: b"", "not a whole zip"),
    ("bomb", "zip", zip_bomb, "harm"),
    ("many", "zip", lambda: make_zip(*((str(n), b"") for n in range(101))), "more than 100 entries"),
    ("slip", "tar", lambda: make_tar((info("../x"), b"x")), "leads out"),
    ("absolute", "tar", lambda: make_tar((info("/x"), b"x")), "absolute"),
    ("newline", "tar", lambda: make_tar((info("a\nb"), b"x")), "control character"),
    ("not UTF-8", "tar", lambda: make_tar((info("\udcff"), b"x")), "not valid UTF-8"),
    ("twice", "tar", lambda: make_tar((info("a"), b"1"), (info("a"), b"2")), "twice"),
    ("symlink out", "tar", lambda: make_tar((info("l", tarfile.SYMTYPE, "../../x"), b"")), "leads out"),
    ("symlink absolute", "tar", lambda: make_tar((info("l", tarfile.SYMTYPE, "/etc/passwd"), b"")), "leads out"),
    ("hard link out", "tar", lambda: make_tar((info("l", tarfile.LNKTYPE, "/etc/passwd"), b"")), "leads out"),
    (
        "circle",
        "tar",
        lambda: make_tar((info("a", tarfile.SYMTYPE, "b"), b""), (info("b", tarfile.SYMTYPE, "a"), b"")),
        "circle",
    ),
    (
        "through a link",
        "tar",
        lambda: make_tar((info("l", tarfile.SYMTYPE, "/tmp"), b""), (info("l/x"), b"x")),
        "leads out",
    ),
    ("device", "tar", lambda: make_tar((info("d", tarfile.CHRTYPE), b"")), "special file"),
    ("pipe", "tar", lambda: make_tar((info("p", tarfile.FIFOTYPE), b"")), "special file"),
    ("cut off", "tar", lambda: make_tar((info("a"), b"x" * 5000))[:3000], "not a whole tar"),
    ("no end", "tar", lambda: make_tar((info("a"), b"x"))[:1024] + b"garbage" * 100, "not a whole tar"),
    (
        "cut off gzip",
        "tar",
        lambda: make_tar((info("a"), os.urandom(5000)), compression="gz")[:-500],
        "not a whole tar",
    ),
    ("no zstd", "tar", lambda: b"\x28\xb5\x2f\xfd" + bytes(100), "not a whole tar"),
    (
        "cut off zstd",
        "tar",
        lambda: zstd.compress(make_tar((info("a"), os.urandom(5000))))[:-500],
        "not a whole tar",
    ),
    ("bomb", "tar", tar_bomb, "harm"),
    ("zstd bomb", "tar", lambda: tar_bomb(lambda buffer: zstd.ZstdFile(buffer, "wb")), "harm"),
    ("huge header", "tar", tar_huge_header, "larger than 16 MiB"),
    ("many", "tar", lambda: make_tar(*((info(str(n)), b"") for n in range(101))), "more than 100 entries"),
]


async def body(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 1 << 20):
        yield data[at : at + (1 << 20)]


@pytest.mark.parametrize(("name", "kind", "make", "says"), HOSTILE, ids=[f"{case[1]} {case[0]}" for case in HOSTILE])
async def test_a_hostile_archive_is_refused_and_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, make: Callable[[], bytes], says: str
) -> None:
    if name == "many":
        monkeypatch.setattr(archives, "MAX_ENTRIES", 100)
    owned = await world.dataset()
    before = sorted(path for path in world.root.rglob("*") if path.is_file() and "sqlite" not in path.name)
    with pytest.raises(Problem) as caught:
        await world.artifacts.ingest.archive(
            principal("ann"),
            owned=owned,
            stream=body(make()),
            archive_format=kind,  # pyright: ignore
        )
    assert says in caught.value.detail
    assert caught.value.status in (413, 422)
    after = sorted(path for path in world.root.rglob("*") if path.is_file() and "sqlite" not in path.name)
    assert after == before
    async with world.database.read() as session:
        for table in (VersionRow, ObjectRow, ChunkRow):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_a_million_entries_are_refused_before_they_are_held() -> None:
    buffer = io.BytesIO()
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    for _ in range(1_000_000):
        buffer.write(entry)
    size = buffer.tell()
    buffer.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0))
    with pytest.raises(Problem, match="more than 500000 entries"):
        archives._count_zip(buffer)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz", "zst"])
async def test_an_honest_tar_is_kept_with_its_links_as_copies(world: World, compression: str) -> None:
    run = info("bin/run")
    run.mode = 0o755
    data = make_tar(
        (info("./", tarfile.DIRTYPE), b""),
        (info("./a/b.txt"), b"hello"),
        (run, b"#!/bin/sh\n"),
        (info("a/latest", tarfile.SYMTYPE, "b.txt"), b""),
        (info("top", tarfile.SYMTYPE, "a/latest"), b""),
        (info("hard", tarfile.LNKTYPE, "./a/b.txt"), b""),
        (info("grüße/数据"), b""),
        compression=compression.replace("zst", ""),
    )
    if compression == "zst":  # which tarfile itself writes from Python 3.14 on
        half = len(data) // 2
        data = zstd.compress(data[:half]) + zstd.compress(data[half:])
    owned = await world.dataset()
    made = await world.artifacts.ingest.archive(principal("ann"), owned=owned, stream=body(data), archive_format="tar")
    hello = dict.fromkeys(("a/b.txt", "a/latest", "hard", "top"), b"hello")
    expected = hello | {"bin/run": b"#!/bin/sh\n", "grüße/数据": b""}
    assert await world.contents(made) == expected
    folder = await world.artifacts.materialise(made, holder="test")
    assert os.access(folder / "bin/run", os.X_OK)


async def test_an_honest_zip_is_kept(world: World) -> None:
    data = make_zip(("d/", b""), ("d/größe.txt", b"x" * 100_000), ("empty", b""))
    owned = await world.dataset()
    made = await world.artifacts.ingest.archive(principal("ann"), owned=owned, stream=body(data), archive_format="zip")
    assert await world.contents(made) == {"d/größe.txt": b"x" * 100_000, "empty": b""}


async def test_a_body_that_breaks_off_leaves_nothing(world: World) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"PK"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await world.artifacts.ingest.archive(
            principal("ann"), owned=await world.dataset(), stream=broken(), archive_format="zip"
        )
    assert list((world.root / "cache" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("zip", make_zip(*((f"{n}", os.urandom(300_000)) for n in range(5)))),
        ("tar", make_tar(*((info(f"{n}"), os.urandom(300_000)) for n in range(5)))),
        ("tar", make_tar(*((info(f"{n}"), os.urandom(300_000)) for n in range(5)), compression="gz")),
        ("file", os.urandom(1_500_000)),
    ],
    ids=["zip", "tar", "tar.gz", "file"],
)
def test_how_much_of_an_archive_was_gone_through_is_told(tmp_path: Path, kind: Any, content: bytes) -> None:
    (tmp_path / "archive").write_bytes(content)
    told = [0]

    def on_read(size: int, of: int) -> None:
        assert of == len(content)
        told.append(told[-1] + size)

    seen: list[int] = []
    for entry in archives.entries(tmp_path / "archive", kind, name="it", on_read=on_read):
        assert entry.content is not None
        seen.append(told[-1])
        while entry.content.read(1 << 16):
            pass
    # Little before the first file, then about as much for each, and all of it in the end.
    assert seen[0] < len(content) // 4
    assert seen == sorted(seen)
    assert len(content) - 20_000 <= told[-1] <= len(content) + 50_000
