"""A few changes to a version: nothing of it is fetched, nothing is sent but what is new."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pumpkin._models import Upload, UploadTargets
from pumpkin._sync.transport import Transport
from pumpkin.config import Config
from pumpkin.errors import PumpkinError
from pumpkin.transfer.cut import CUT_FROM, cut
from pumpkin.transfer.packs import PACK, PACK_CHUNKS
from pumpkin.transfer.push import commit, newest_version

Line = dict[str, Any]
"""One file as a manifest has it: `path`, `size`, `mode`, `sha256` and `chunks`."""
Change = Path | Line | None
"""What a path becomes: a file of this machine, a file of some version, or nothing."""


def lines(manifest: bytes) -> dict[str, Line]:
    """Return the files of a gzipped manifest, by path."""
    return {line["path"]: line for line in map(json.loads, gzip.decompress(manifest).splitlines())}


def change(config: Config, where: str, changes: Mapping[str, Change]) -> int:
    """Make the next version of the thing at API path `where`; return its number.

    What is in the newest version and not in `changes`, by path, stays as it is.

    Raises:
        PumpkinError: if nothing would be left, or the platform refuses it (something to be removed is not there, a path
            lies below a file).
        OSError: if a file of this machine cannot be read.
    """
    with closing(Transport(config, timeout=120.0)) as transport:
        return _change(transport, where, changes)


def _change(transport: Transport, where: str, changes: Mapping[str, Change]) -> int:
    base = newest_version(transport, where)
    if base is not None and len(changes) == base.files and not any(changes.values()):
        raise PumpkinError("A version needs one file at least: delete the version instead.", field="path")
    upload = f"{where}/uploads/" + transport.post(Upload, f"{where}/uploads").id
    try:
        sent = _send(transport, upload, {path: what for path, what in changes.items() if isinstance(what, Path)})
        copied: dict[str, Line] = {
            path: {**what, "path": path} for path, what in changes.items() if isinstance(what, dict)
        }
        chunks = sorted({chunk["hash"] for line in copied.values() for chunk in line["chunks"]})
        for start in range(0, len(chunks), PACK_CHUNKS):
            _missing(transport, upload, chunks[start : start + PACK_CHUNKS])  # holds them
        removed: dict[str, Line] = {
            path: {"path": path, "removed": True} for path, what in changes.items() if what is None
        }
        changed = sent | copied | removed
        ordered = [changed[path] for path in sorted(changed)]  # by code points, as by the bytes of UTF-8
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in ordered)
        packed = gzip.compress(text.encode(), 3)
        whole = f"{upload}/manifest"
        method, where = ("PUT", whole) if base is None else ("PATCH", f"{whole}?base={base.number}")
        transport.request(method, where, content=packed, timeout=600.0)
        return commit(transport, upload)
    except BaseException:
        with suppress(Exception):
            transport.delete(upload)
        raise


def _send(transport: Transport, upload: str, files: Mapping[str, Path]) -> dict[str, Line]:
    sent: dict[str, Line] = {}
    pack: dict[str, bytes] = {}
    held = 0
    for path, source in files.items():
        whole, chunks = hashlib.sha256(), list[dict[str, Any]]()
        for data in _chunks(source):
            whole.update(data)
            digest = hashlib.sha256(data).hexdigest()
            chunks.append({"hash": digest, "size": len(data)})
            pack[digest] = data
            held += len(data)
            if len(pack) >= PACK_CHUNKS or held >= PACK:
                _put(transport, upload, pack)
                pack, held = {}, 0
        size = sum(chunk["size"] for chunk in chunks)
        sent[path] = {"path": path, "size": size, "mode": 0o644, "sha256": whole.hexdigest(), "chunks": chunks}
    _put(transport, upload, pack)
    return sent


def _chunks(source: Path) -> Iterator[bytes]:
    with source.open("rb", buffering=0) as file:
        if source.stat().st_size >= CUT_FROM:
            yield from cut(file)
        elif data := file.readall():
            yield data


def _put(transport: Transport, upload: str, pack: Mapping[str, bytes]) -> None:
    wanted = _missing(transport, upload, list(pack)) if pack else []
    if not wanted:
        return
    data = b"".join(pack[digest] for digest in wanted)
    asked = {"sizes": [len(data)], "sha256": [hashlib.sha256(data).hexdigest()]}
    target = transport.post(UploadTargets, f"{upload}/objects", asked).objects[0]
    url = target.url if "://" in target.url else transport.config.origin + target.url
    transport.request("PUT", url, content=data, headers=target.headers, timeout=600.0)
    index = [{"hash": digest, "size": len(pack[digest])} for digest in wanted]
    transport.request("PUT", f"{upload}/objects/{target.id}", body={"chunks": index}, timeout=600.0)


def _missing(transport: Transport, upload: str, hashes: list[str]) -> list[str]:
    return transport.request("POST", f"{upload}/missing", body={"hashes": hashes}).json()["missing"]
