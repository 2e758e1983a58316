"""Running uv: with a clean environment, its output into the build log, and nothing left behind when stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from pumpkin_services.images.failures import explain
from pumpkin_services.images.interpreters import Interpreter, inspect_interpreter

# What uv and build back ends need of the service's own environment; its tokens and secrets stay out.
_KEPT = (
    "HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "XDG_CONFIG_HOME",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip

# uv dies with the service that started it (prctl 1 = PR_SET_PDEATHSIG), and yields to workloads while it runs.
_GUARD = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.nice(5)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, kw_only=True)
class UvSettings:
    """`python` is the platform's own interpreter, `index` a package index URL or empty for uv's own setting."""

    python: str = sys.executable
    index: str = ""
    from_source: bool = False
    """Whether source distributions may be built: that runs their code as the platform's user."""


class Uv:
    """uv for one build: runs in `folder`, caches in `cache`, prints into `log`."""

    def __init__(self, settings: UvSettings, *, folder: Path, cache: Path, log: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.log = log
        self._environment = _environment(os.environ, index=settings.index, cache=cache)
        self._source = [] if settings.from_source else ["--no-build"]

    async def interpreter(self, wanted: str) -> Interpreter:
        """Return the Python to build for; `wanted` is a version (`3.12`), empty for the platform's own."""
        own = await inspect_interpreter(self.settings.python)
        if not wanted or own.version == wanted or own.version.startswith(wanted + "."):
            return own
        found = self.folder / "python.txt"
        await self._run("python", "find", "--system", "--no-project", wanted, output=found)
        return await inspect_interpreter(found.read_text().strip())

    async def lock(self, requirements: list[str], *, python: str) -> str:
        """Resolve requirement lines and return the lock: every package pinned, with hashes."""
        source, target = self.folder / "requirements.in", self.folder / "requirements.txt"
        source.write_text("".join(f"{line}\n" for line in requirements))
        target.unlink(missing_ok=True)
        await self._run(
            "pip", "compile", source.name, "--output-file", target.name, "--python", python,
            "--generate-hashes", "--no-header", "--no-annotate", "--quiet", *self._source,
        )  # fmt: skip
        return target.read_text()

    async def install(self, lock: str, *, python: str, prefix: Path) -> None:
        """Make `prefix` a relocatable virtual environment that holds exactly what the lock pins."""
        source = self.folder / "lock.txt"
        source.write_text(lock)
        await self._run("venv", str(prefix), "--python", python, "--relocatable", "--no-project", "--quiet")
        await self._run(
            "pip", "sync", source.name, "--python", str(prefix / "bin/python"), "--require-hashes",
            "--allow-empty-requirements", "--compile-bytecode", "--strict", *self._source,
        )  # fmt: skip

    async def _run(self, *arguments: str, output: Path | None = None) -> None:
        """Run uv to its end; raise `BuildFailed` with its own words when it fails."""
        with self.log.open("ab", buffering=0) as log:
            shown = [Path(part).name if part.startswith("/") else part for part in arguments]
            log.write(f"$ uv {' '.join(shown)}\n".encode())
            at = log.tell()
            program = [find_uv_bin(), *arguments]
            if sys.platform == "linux":
                program = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid()), *program]
            target = output.open("wb") if output is not None else log
            try:
                code = await self._finish(program, stdout=target.fileno(), stderr=log.fileno())
            finally:
                target.close()
        if code != 0:
            with self.log.open("rb") as said:
                said.seek(at)
                raise explain(said.read(1 << 20).decode(errors="replace"))

    async def _finish(self, program: list[str], *, stdout: int, stderr: int) -> int:
        process = await asyncio.create_subprocess_exec(
            *program, cwd=self.folder, env=self._environment, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=stderr,
        )  # fmt: skip
        try:
            return await process.wait()
        finally:
            # Even after uv ended well a build back end may have left children.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            await process.wait()


def _environment(own: Mapping[str, str], *, index: str, cache: Path) -> dict[str, str]:
    kept = {name: value for name, value in own.items() if name in _KEPT or name.startswith("UV_")}
    kept |= {
        "NO_COLOR": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(cache),
        "UV_LINK_MODE": "hardlink",
    }
    # In the environment and not on the command line: an index URL may hold a password, and `ps` shows arguments.
    return kept | ({"UV_DEFAULT_INDEX": index} if index else {})
