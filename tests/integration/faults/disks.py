"""Small memory file systems that can be filled: what a full disk is to the tests. Mounting them takes root."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

MIB = 1 << 20


class Disk:
    """A memory file system of its own at `path`, which must exist."""

    def __init__(self, path: Path, *, size: int) -> None:
        self.path = path
        done = self._mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs")
        if done.returncode:
            pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")

    def remount(self, options: str) -> None:
        done = self._mount("-o", f"remount,{options}")
        assert done.returncode == 0, done.stderr

    def _mount(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["mount", *words, str(self.path)], capture_output=True, text=True, check=False)

    def fill(self) -> Path:
        """Take all the room that is left; return the file that has it."""
        filler = self.path / "filler"
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            for piece in (MIB, 4096, 1):
                with contextlib.suppress(OSError):
                    while os.write(file, bytes(piece)) == piece:
                        pass
        finally:
            os.close(file)
        return filler
