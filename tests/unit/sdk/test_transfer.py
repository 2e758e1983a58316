import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from pumpkin import PumpkinError, _generate
from pumpkin.transfer import archives, push
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


def test_large_files_are_cut_into_chunks_and_small_ones_grouped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(push, "CHUNK", 1000)
    monkeypatch.setattr(push, "GROUP_BYTES", 500)
    (tmp_path / "big").write_bytes(bytes(range(256)) * 10)
    tree(tmp_path, "small1", "small2", "empty")
    (tmp_path / "empty").write_bytes(b"")
    pieces = [piece for group in push._groups(list(scan(tmp_path))) for piece in push._read(group)]
    assert [(piece.file.path, len(piece.data), piece.last) for piece in pieces] == [
        ("big", 1000, False), ("big", 1000, False), ("big", 560, True),
        ("empty", 0, True), ("small1", 6, True), ("small2", 6, True),
    ]  # fmt: skip
    assert all(hashlib.sha256(piece.data).hexdigest() == piece.digest for piece in pieces)


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
