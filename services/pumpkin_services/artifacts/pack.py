"""From files to chunks and packs, on the server's side: for imports and for what jobs leave behind."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import IO

from pumpkin_services.artifacts.cut import cut
from pumpkin_services.artifacts.manifest import MAX_FILES, Entry, Order, path_fault, shown
from pumpkin_services.artifacts.models import MAX_CHUNKS, MAX_OBJECT
from pumpkin_services.problems import Invalid, TooLarge

MAX_HOPS = 40


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file (`content`) or a link (`link`: the path it means, from the top) on its way into a version."""

    path: str
    executable: bool = False
    content: IO[bytes] | None = None
    link: str | None = None


@dataclass(kw_only=True)
class Packer:
    """Cuts `files` into chunks and gathers them into batches of a pack's size.

    With `strict`, a path that cannot be kept is refused; without, it is left out and named in `left_out`.
    """

    files: Iterable[SourceFile]
    strict: bool
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    left_out: list[str] = field(default_factory=list[str])
    _links: dict[str, SourceFile] = field(default_factory=dict[str, SourceFile])

    def batches(self) -> Generator[dict[str, bytes]]:
        """Iterate over batches of distinct chunks by hash, each small enough for one pack."""
        batch: dict[str, bytes] = {}
        held = 0
        for file in self.files:
            if not self._accept(file):
                continue
            if file.link is not None:
                self._links[file.path] = file
                continue
            whole, chunks = hashlib.sha256(), list[tuple[str, int]]()
            assert file.content is not None
            for data in cut(file.content):
                whole.update(data)
                digest = hashlib.sha256(data).hexdigest()
                chunks.append((digest, len(data)))
                if digest in batch:
                    continue
                if held + len(data) > MAX_OBJECT or len(batch) >= MAX_CHUNKS:
                    yield batch
                    batch, held = {}, 0
                batch[digest] = data
                held += len(data)
            self._add(file, whole.hexdigest(), chunks)
        if batch:
            yield batch

    def _add(self, file: SourceFile, sha256: str, chunks: list[tuple[str, int]]) -> None:
        size = sum(length for _, length in chunks)
        self.entries[file.path] = Entry(file.path, size, 0o755 if file.executable else 0o644, sha256, tuple(chunks))

    def _accept(self, file: SourceFile) -> bool:
        fault = path_fault(file.path)
        if not fault and (file.path in self.entries or file.path in self._links):
            fault = "is there twice"
        if fault:
            self._refuse(file.path, fault)
            return False
        if len(self.entries) >= MAX_FILES:
            raise TooLarge(f"A version has {MAX_FILES} files at most: pack small files together.")
        return True

    def _refuse(self, path: str, fault: str) -> None:
        if self.strict:
            raise Invalid(f"'{shown(path)}' {fault}: pack it again without that.", field="archive", reason="bad_entry")
        self.left_out.append(f"'{shown(path)}' {fault}")

    def finish(self) -> list[Entry]:
        """Return the sorted entries, links replaced by what they mean; call it after the last batch."""
        for path, file in self._links.items():
            target, fault = self._follow(file)
            if target is None:
                self._refuse(path, fault)
            else:
                self.entries[path] = Entry(path, target.size, target.mode, target.sha256, target.chunks)
        ordered = sorted(self.entries.values(), key=lambda entry: entry.path)
        order = Order()
        for entry in ordered:
            if fault := order.fault(entry.path):
                raise Invalid(f"'{shown(entry.path)}' {fault}.", field="archive", reason="bad_entry")
        return ordered

    def _follow(self, file: SourceFile) -> tuple[Entry | None, str]:
        target = file.link or ""
        for _ in range(MAX_HOPS):
            if target == ".." or target.startswith(("../", "/")):
                return None, "is a link that leads out"
            if target in self.entries:
                return self.entries[target], ""
            if target not in self._links:
                break
            target = self._links[target].link or ""
        else:
            return None, "is a link that leads round in a circle"
        return None, "is a link to a folder, or to nothing in here: only links to files are kept, as copies"


def link_target(path: str, target: str) -> str:
    """Return what the symbolic link `path` with content `target` means, as a path from the top."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
