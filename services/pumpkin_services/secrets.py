"""Keys the platform makes for itself on first use and keeps in `<data>/secrets/` (0700)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def load_secret(folder: Path, name: str) -> bytes:
    """Return the 32-byte key `name`, made on first use. Safe when several processes ask at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        fresh = folder / f".{name}.{os.getpid()}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # fails when another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
