"""What leaves a pod and how the service takes it: tars of output folders, lines of metrics."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from pumpkin.pod.inputs import sized
from pumpkin.pod.metrics import CHUNK, MetricFile
from pumpkin.pod.tarball import stream
from pumpkin_services.problems import Invalid, TooLarge
from pumpkin_services.workloads.outputs import merge, unpack


def tree(folder: Path) -> dict[str, str]:
    """Return the files below a folder with what is in them."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def sent(folder: Path, root: Path, said: list[str] | None = None) -> Path:
    """Send a folder through a tar; return where it was unpacked."""
    archive = root / "archive.tar"
    archive.write_bytes(b"".join(stream(folder, say=(said if said is not None else []).append)))
    unpack(archive, root / "unpacked")
    return root / "unpacked"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def test_a_folder_arrives_as_it_was(output: Path, tmp_path: Path) -> None:
    (output / "deep" / "er").mkdir(parents=True)
    (output / "empty").write_text("")
    (output / "deep" / "block").write_text("x" * 512)
    (output / "deep" / "er" / "模型 ä.txt").write_text("name")
    (output / ("long" * 40)).write_text("long")
    (output / "run.sh").write_text("#!/bin/sh")
    (output / "run.sh").chmod(0o750)
    os.link(output / "run.sh", output / "same.sh")
    arrived = sent(output, tmp_path)
    assert tree(arrived) == tree(output)
    assert os.access(arrived / "run.sh", os.X_OK)
    assert not os.access(arrived / "empty", os.X_OK)


def test_a_name_that_is_not_utf8_does_not_cost_the_rest(output: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.bin")
    (output / name).write_text("raw")
    (output / "model").write_text("weights")
    assert set(os.listdir(sent(output, tmp_path))) == {name, "model"}


def test_links_inside_are_sent_as_copies_and_everything_else_is_left_out_with_a_word(
    output: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (output / "epoch3").write_text("weights")
    (output / "sub").mkdir()
    (output / "best").symlink_to("epoch3")
    (output / "sub" / "up").symlink_to("../best")
    (output / "absolute").symlink_to("/model/epoch3")
    (output / "out").symlink_to("../secret")
    (output / "away").symlink_to("/etc/passwd")
    (output / "folder").symlink_to("sub")
    (output / "broken").symlink_to("nothing")
    os.mkfifo(output / "pipe")
    said: list[str] = []
    arrived = sent(output, tmp_path, said)
    assert tree(arrived) == dict.fromkeys(("epoch3", "best", "sub/up", "absolute"), "weights")
    assert not any(path.is_symlink() for path in arrived.rglob("*"))
    assert [line.split("'")[1] for line in said] == ["away", "broken", "folder", "out", "pipe"]


def test_a_file_that_shrinks_while_it_is_sent_is_an_error(output: Path) -> None:
    (output / "model").write_bytes(b"x" * (3 << 20))
    content = stream(output, say=print)
    assert len(next(content)) == tarfile.BLOCKSIZE
    next(content)
    os.truncate(output / "model", 1 << 20)
    with pytest.raises(OSError, match="shorter"):
        list(content)


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _device(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.CHRTYPE
    return info


FILE = tarfile.TarInfo
HOSTILE = {
    "up": _tar((FILE("../../evil"), b"x")),
    "inside up": _tar((FILE("a/../../evil"), b"x")),
    "absolute": _tar((FILE("/tmp/evil"), b"x")),
    "link": _tar((_link("a", "/tmp"), b""), (FILE("a/evil"), b"x")),
    "hard link": _tar((_link("a", "/etc/passwd", tarfile.LNKTYPE), b"")),
    "device": _tar((_device("null"), b"")),
    "twice": _tar((FILE("a"), b"x"), (FILE("a"), b"y")),
    "below a file": _tar((FILE("a"), b"x"), (FILE("a/b"), b"y")),
    "cut off": _tar((FILE("a"), b"x" * 5000))[:2048],
    "no tar": b"nothing of the kind",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_tar_is_refused_and_writes_nothing_outside(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "archive.tar").write_bytes(content)
    with pytest.raises((Invalid, TooLarge)):
        unpack(tmp_path / "in" / "archive.tar", tmp_path / "in" / "files")
    assert [path.name for path in tmp_path.rglob("evil")] == []


def test_of_equal_names_the_lowest_ranks_counts(tmp_path: Path) -> None:
    for rank, names in enumerate((("same", "zero", "folder/a"), ("same", "one", "folder", "zero/below"))):
        for name in names:
            path = tmp_path / str(rank) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(rank))
    merge([tmp_path / "0", tmp_path / "1", tmp_path / "not sent"], tmp_path / "all")
    assert tree(tmp_path / "all") == {"same": "0", "zero": "0", "folder/a": "0", "one": "1"}


def test_metrics_are_read_by_whole_lines_with_where_each_ends(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    file = MetricFile(path)
    assert file.batch() == ([], 0)
    line = json.dumps({"step": 1, "time": 5.0, "values": {"loss": 0.5, "bad": float("nan")}}) + "\n"
    path.write_text(f"{line}not one of ours\n[]\n{line}{line[:20]}")
    lines, position = file.batch()
    first = {"step": 1, "time": 5.0, "values": {"loss": 0.5, "bad": None}, "position": len(line)}
    assert lines == [first, {**first, "position": position}]
    assert file.batch() == (lines, position), "what was not taken is read again"
    file.taken(position)
    assert file.batch() == ([], position), "a line without its end is not there yet"
    with path.open("a") as rest:
        rest.write(line[20:])
    assert [item["step"] for item in file.batch()[0]] == [1]


def test_names_the_api_would_refuse_do_not_cost_the_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({"time": 5.0, "values": {"a\0\ud800": 1, "": 2, "n" * 300: 3}}) + "\n")
    [line] = MetricFile(path).batch()[0]
    assert line["values"] == {"a??": 1, "?": 2, "n" * 255: 3}


def test_a_line_without_end_does_not_hold_up_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    line = json.dumps({"step": 7, "time": 5.0, "values": {"loss": 0.5}}) + "\n"
    path.write_text("x" * (2 * CHUNK + 5) + "\n" + line)
    file, found = MetricFile(path), list[int]()
    while (batch := file.batch())[1] != file.position:
        found += [item["step"] for item in batch[0]]
        file.taken(batch[1])
    assert found == [7]


def test_sizes_are_said_as_people_say_them() -> None:
    assert [sized(0), sized(900), sized(4 << 30)] == ["0 B", "900 B", "4.0 GiB"]
    assert sized(1_288_490_189, of=4 << 30) == "1.2 of 4.0 GiB"
