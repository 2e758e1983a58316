import hashlib
import io
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pumpkin import PumpkinError, _generate
from pumpkin.transfer import archives, blocks, pieces
from pumpkin.transfer.cut import cut
from pumpkin.transfer.scan import scan


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def test_files_come_sorted_by_the_bytes_of_their_paths(tmp_path: Path):
    root = tree(tmp_path, "a/b", "a.txt", "a-b/c", "Z", "ä", "a/b0/c")
    paths = [file.path for file in scan(root)]
    assert paths == sorted(paths, key=str.encode)
    assert len(paths) == 6


def test_what_never_belongs_to_a_version_is_left_out(tmp_path: Path):
    root = tree(tmp_path, "code.py", ".git/config", "x/__pycache__/c.pyc", "notes.tmp", "sub/notes.tmp")
    assert [file.path for file in scan(root, exclude=["*.tmp"])] == ["code.py"]


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(tmp_path: Path):
    root = tree(tmp_path / "in", "a")
    (root / "same").symlink_to("a")
    assert [file.path for file in scan(root)] == ["a", "same"]
    (root / "out").symlink_to("/etc/passwd")
    with pytest.raises(PumpkinError, match="link out of the folder"):
        list(scan(root))


def test_a_folder_that_leads_back_into_itself_is_refused(tmp_path: Path):
    root = tree(tmp_path, "a/b")
    (root / "a" / "up").symlink_to("..")
    with pytest.raises(PumpkinError, match="link back up"):
        list(scan(root))


def test_pieces_come_in_order_with_their_hashes_whatever_the_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pieces, "GROUP_BYTES", 2 << 20)
    noise = random.Random(1)
    sizes = {"a": 10, "b": 3 << 20, "c": (1 << 20) - 1, "d": 1 << 20, "e": 0, "f": 5 << 20, "g": 1}
    contents = {name: noise.randbytes(size) for name, size in sizes.items()}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    with ThreadPoolExecutor(3) as pool:
        found = list(pieces.hashed(list(scan(tmp_path)), pool, ahead=3))
    assert list(dict.fromkeys(piece.file.path for piece in found)) == sorted(sizes)
    for name, data in contents.items():
        own = [piece for piece in found if piece.file.path == name]
        assert b"".join(piece.data for piece in own) == data
        assert [piece.last for piece in own] == [False] * (len(own) - 1) + [True]
        assert (len(own) > 1) == (len(data) >= 1 << 20)
    assert all(hashlib.sha256(piece.data).hexdigest() == piece.digest for piece in found)


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, size: int):
    (tmp_path / "f").write_bytes(bytes(size))
    files = list(scan(tmp_path))
    (tmp_path / "f").write_bytes(bytes(size - 1))
    with ThreadPoolExecutor(1) as pool, pytest.raises(PumpkinError, match="changed while it was pushed"):
        list(pieces.hashed(files, pool, ahead=3))


@pytest.mark.parametrize("size", [3 << 20, (3 << 20) + 1, (10 << 20) + 12_345])
def test_blocks_are_cut_where_the_whole_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int):
    monkeypatch.setattr(blocks, "BLOCK", 3 << 20)
    data = random.Random(size).randbytes(size)
    (tmp_path / "f").write_bytes(data)
    taken = blocks.Blocks(scan(tmp_path)[0])
    found: list[bytes] = []
    for block in taken:
        found += [bytes(chunk) for chunk in block.chunks()]
        block.free()  # the next one lies in the same buffer
    assert found == list(cut(io.BytesIO(data)))
    assert taken.sha256 == hashlib.sha256(data).hexdigest()


def test_a_large_file_that_changes_while_it_is_read_is_refused(tmp_path: Path):
    (tmp_path / "f").write_bytes(bytes(3 << 20))
    [file] = scan(tmp_path)
    for size in ((3 << 20) - 1, (3 << 20) + 1):
        (tmp_path / "f").write_bytes(bytes(size))
        with pytest.raises(PumpkinError, match="changed while it was pushed"):
            list(blocks.Blocks(file))


@pytest.mark.parametrize(("file", "name"), [("My Data.tar.gz", "my-data"), ("digits.zip", "digits"), ("Ä!x", "x")])
def test_a_name_is_made_from_the_source(tmp_path: Path, file: str, name: str):
    assert archives.suggest_name(tmp_path / file) == name


def test_the_synchronous_client_is_what_the_asynchronous_one_makes():
    assert subprocess.run([sys.executable, "-m", "pumpkin._unasync", "--check"], check=False).returncode == 0


def test_the_models_are_what_the_committed_document_makes(monkeypatch: pytest.MonkeyPatch):
    committed = _generate.TARGET.read_text()
    # In the same folder, since the formatter's settings come from there.
    fresh = _generate.TARGET.with_name("_models_fresh.py")
    monkeypatch.setattr(_generate, "TARGET", fresh)
    monkeypatch.setattr(sys, "argv", ["generate", str(Path(__file__).parents[3] / "docs" / "openapi.json")])
    try:
        _generate.main()
        assert fresh.read_text() == committed
    finally:
        fresh.unlink(missing_ok=True)
