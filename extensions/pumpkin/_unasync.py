"""`python -m pumpkin._unasync [--check]`: make the package `_sync` from `_async`, word by word."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HEADER = "# Made from pumpkin/_async/{name} by `make models`; change that file, not this one.\n"
WORDS = [
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b_async\b", "_sync"),
    (r"\baclose\b", "close"),
    (r"\baread\b", "read"),
    (r"\baiter_(\w+)", r"iter_\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\basynchronous\b", "synchronous"),
]


def translate(name: str, source: str) -> str:
    """Return the synchronous form of one module, formatted."""
    for pattern, replacement in WORDS:
        source = re.sub(pattern, replacement, source)
    command = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--select", "I,C416,UP028", "--fix-only", "--unsafe-fixes", "-q"], ["format", "-q"]):
        shown = ["--stdin-filename", str(HERE / "_sync" / name), "-"]
        source = subprocess.run(
            [*command, *arguments, *shown], input=source, capture_output=True, text=True, check=True
        ).stdout
    return HEADER.format(name=name) + source


def main() -> int:
    """Write every module; with `--check` only tell whether one is out of date."""
    stale = False
    for path in sorted((HERE / "_async").glob("*.py")):
        if path.name == "_compat.py":
            continue
        target = HERE / "_sync" / path.name
        text = translate(path.name, path.read_text(encoding="utf-8"))
        if "--check" in sys.argv:
            stale |= not target.exists() or target.read_text(encoding="utf-8") != text
        else:
            target.write_text(text, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
