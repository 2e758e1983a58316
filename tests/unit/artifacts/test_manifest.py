"""One line of a manifest: the platform and the SDK write the same, and what looks usual is read as JSON reads it."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin.transfer.pieces import manifest_line
from pumpkin.transfer.scan import File
from pumpkin_services.artifacts.manifest import EMPTY, Entry, decode, encode, read, read_untrusted, write
from pumpkin_services.artifacts.models import MAX_OBJECT
from pumpkin_services.problems import Invalid

HASH = st.integers(0, 2**256 - 1).map("{:064x}".format)
PATH = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    chunks = draw(st.lists(st.tuples(HASH, st.integers(1, MAX_OBJECT)), max_size=3))
    sha256 = chunks[0][0] if len(chunks) == 1 else draw(HASH) if chunks else EMPTY
    size = sum(length for _, length in chunks)
    return Entry(draw(PATH), size, draw(st.sampled_from([0o644, 0o755])), sha256, tuple(chunks))


def as_json(entry: Entry) -> dict[str, Any]:
    chunks = [{"hash": digest, "size": size} for digest, size in entry.chunks]
    return {"path": entry.path, "size": entry.size, "mode": entry.mode, "sha256": entry.sha256, "chunks": chunks}


@given(entries())
def test_a_line_is_compact_json_and_comes_back(entry: Entry) -> None:
    line = encode(entry)
    assert line == json.dumps(as_json(entry), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    assert decode(line) == decode(line.rstrip(b"\n")) == entry
    file = File(entry.path, "", entry.size, entry.mode == 0o755)
    assert manifest_line(file, entry.sha256, entry.chunks) == line


@given(entries(), st.booleans())
def test_what_somebody_sends_is_kept_in_the_canonical_form_whatever_form_it_has(entry: Entry, escaped: bool) -> None:
    sent = json.dumps(as_json(entry), ensure_ascii=escaped).encode() + b"\n"
    kept: dict[bytes, bytes] = {}
    for body in (sent, encode(entry)):
        sink = io.BytesIO()
        try:
            summary = write(read_untrusted([gzip.compress(body)]), sink)
        except Invalid:  # of a path: both forms are refused alike
            kept[body] = b"refused"
            continue
        assert (summary.files, summary.bytes) == (1, entry.size)
        assert list(read([sink.getvalue()])) == [entry]
        kept[body] = sink.getvalue()
    assert len(set(kept.values())) == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"size": 5}, "another size than its chunks"),
        ({"sha256": "b" * 64}, "whose hash is not the file's"),
        ({"mode": 511}, "mode"),
        ({"path": "../a"}, "leads out"),
        ({"path": "a\\b"}, "backslash"),
        ({"size": MAX_OBJECT + 1, "chunks": [{"hash": "a" * 64, "size": MAX_OBJECT + 1}]}, "size"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_line_is_refused_in_the_usual_form_too(change: dict[str, Any], fault: str) -> None:
    entry = as_json(Entry("a", 4, 0o644, "a" * 64, (("a" * 64, 4),))) | change
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(Invalid, match=fault):
        write(read_untrusted([gzip.compress(line)]), io.BytesIO())


def test_a_path_that_is_not_utf_8_is_refused() -> None:
    line = encode(Entry("ab", 4, 0o644, "a" * 64, (("a" * 64, 4),))).replace(b"ab", b"a\xff")
    with pytest.raises(Invalid, match="Line 1"):
        write(read_untrusted([gzip.compress(line)]), io.BytesIO())
