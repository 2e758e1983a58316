"""What a push begins with: looking at its source; and archives, which the platform unpacks itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

from pumpkin._models import Version
from pumpkin._protocol import OnProgress, Progress
from pumpkin._sync.transport import Transport
from pumpkin.config import Config
from pumpkin.errors import PumpkinError

FORMATS = {
    ".zip": "zip", ".tar": "tar", ".tgz": "tar",
    ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar", ".tar.zst": "tar",
}  # fmt: skip
BLOCK = 1 << 20


def examine(source: str | PathLike[str]) -> Path:
    """Return the source of a push as a path; raise `PumpkinError` when there is nothing to push."""
    path = Path(source).expanduser()
    if not path.exists():
        raise PumpkinError(f"There is no file or folder '{path}'.", field="source", reason="not_found")
    return path


def is_archive(path: Path) -> bool:
    """Tell whether `path` is an archive by its name."""
    return path.is_file() and _format(path) is not None


def suggest_name(path: Path) -> str:
    """Return a valid name made from the source's."""
    stem = path.resolve().name.lower()
    for suffix in FORMATS:
        stem = stem.removesuffix(suffix)
    name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:63]
    if not name:
        raise PumpkinError(f"No name can be made from '{path}': give one.", field="name", reason="invalid")
    return name


def send(
    config: Config, where: str, source: Path, *, exclude: Sequence[str] = (), on_progress: OnProgress | None = None
) -> int:
    """Import an archive as a new version; return its number. A break means beginning again."""
    if exclude:
        raise PumpkinError("An archive is taken as it is: unpack it to exclude files.", field="exclude")
    transport = Transport(config, timeout=120.0)
    try:
        query = {"format": _format(source)}
        answer = transport.upload(f"{where}/import", _blocks(source, on_progress), query=query)
        number = Version.model_validate_json(answer.content).number
    finally:
        transport.close()
    assert number is not None, "an import answers when the version is ready"
    return number


def _blocks(source: Path, on_progress: OnProgress | None) -> Iterator[bytes]:
    total, done = source.stat().st_size, 0
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
            done += len(block)
            if on_progress is not None:
                on_progress(Progress(phase="sending", done=done, total=total, sent=done))


def _format(path: Path) -> str | None:
    name = path.name.lower()
    return next((form for suffix, form in FORMATS.items() if name.endswith(suffix)), None)
