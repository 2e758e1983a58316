"""One commit of a git repository as a tar stream, fetched by the git program behind the same guard.

git is a process of its own: a hostile repository meets limits of memory, file size and time, and not the service. It
speaks to the address that was checked, follows no redirect and no other server's objects, asks nobody for a password
and reads nobody's settings. What comes out is the commit's tree as it is: no attribute of the repository changes it,
submodules are left out, and files kept by git-lfs are their pointers.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pumpkin_services.artifacts.imports_fetch import Progress, too_large
from pumpkin_services.artifacts.outward import Outward, Target
from pumpkin_services.artifacts.tables import ImportRow
from pumpkin_services.problems import Invalid

BLOCK = 1 << 20
MEMORY = 4 << 30
MEASURE_SECONDS = 1.0
_REFS = "/info/refs?service=git-upload-pack"
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
# git dies with the service (prctl 1 = PR_SET_PDEATHSIG) and writes no file over the limit.
_GUARD = """
import ctypes, os, resource, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.nice(5)
for what, most in ((resource.RLIMIT_FSIZE, sys.argv[2]), (resource.RLIMIT_DATA, sys.argv[3])):
    resource.setrlimit(what, (int(most), int(most)))
os.execvp(sys.argv[4], sys.argv[4:])
"""
_SETTINGS = {
    "core.bigFileThreshold": "16m",  # larger files go to the disk without being held
    "credential.helper": "",
    "fetch.unpackLimit": "1",  # one pack, whose size the limit of a file's size bounds
    "gc.auto": "0",
    "http.followRedirects": "false",  # nor http-alternates: git treats those alike
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "http.proxy": "",
    "pack.threads": "1",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "transfer.bundleURI": "false",
}
_NO_SUCH_REF = ("couldn't find remote ref", "not our ref", "expected commit type")
_PLAIN = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n"


async def git_tree(
    outward: Outward, row: ImportRow, at: Progress, *, folder: Path, limit: int
) -> AsyncGenerator[bytes]:
    """Iterate over a tar archive of the commit the import names; `folder` is for git alone and removed at the end.

    Raises:
        Invalid: if the repository cannot be reached, or has no such branch, tag or commit.
        TooLarge: if the commit needs more than `limit` bytes, packed by git or not.
    """
    if shutil.which("git") is None:
        raise Invalid("There is no git on the platform's machine: ask an admin to install it.", field="format")
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    await asyncio.to_thread(folder.mkdir, parents=True)
    git = _Git(folder, limit=limit)
    measure = asyncio.create_task(_measure(folder, at))
    try:
        # Begun anew, an import keeps to the commit it found first: a branch may have moved meanwhile.
        at.commit = await _fetch(outward, git, row.url, row.commit_id or row.ref or "HEAD")
        measure.cancel()
        at.fetched = await asyncio.to_thread(_bytes, folder / "objects")
        unpacked = Progress()
        async for piece in git.output("archive", "--format=tar", at.commit):
            unpacked.add(len(piece), limit=limit)
            yield piece
    finally:
        measure.cancel()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _fetch(outward: Outward, git: _Git, url: str, ref: str) -> str:
    target = await _repository(outward, url)
    addresses = await outward.addresses(target.host, target.port)
    await git.run("init", "--quiet", "--bare", "--template=", ".")
    await asyncio.to_thread(_write, git.folder / "info/attributes", _PLAIN)
    shown = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    pinned = [] if ":" in target.host else ["-c", f"http.curloptResolve={target.host}:{target.port}:{shown}"]
    await git.run(
        *pinned,
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--",
        target.url,
        ref,
        what=ref,
    )
    commit = (await git.run("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}", what=ref)).strip()
    if len(ref) == 40 and ref != commit:
        raise Invalid(f"'{ref}' is no commit of this repository: name a commit, branch or tag.", field="ref")
    return commit


async def _repository(outward: Outward, url: str) -> Target:
    """Return where a repository really is: redirects are followed here, where each is checked, and not by git."""
    async with outward.get(url.rstrip("/") + _REFS) as answer:
        if answer.type != _ADVERTISEMENT or not answer.target.path.endswith(_REFS):
            where = answer.target.shown.removesuffix("/info/refs")
            raise Invalid(
                f"'{where}' is no git repository that can be read by smart HTTP: check the URL.",
                field="url",
                reason="fetch_failed",
            )
        return replace(answer.target, path=answer.target.path.removesuffix(_REFS) or "/")


class _Git:
    """git in one folder, with nothing around it that others could have set."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._environment = {
            "GIT_ASKPASS": "/bin/false",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_DIR": str(folder),
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": str(folder),
            "LC_ALL": "C",
            "PATH": os.environ.get("PATH", os.defpath),
        }
        if authorities := os.environ.get("SSL_CERT_FILE"):
            self._environment["GIT_SSL_CAINFO"] = authorities

    async def run(self, *words: str, what: str = "") -> str:
        """Run one command; return what it printed. `what` is the ref it is about."""
        return b"".join([piece async for piece in self.output(*words, what=what)]).decode("utf-8", "replace")

    async def output(self, *words: str, what: str = "") -> AsyncGenerator[bytes]:
        """Run one command; iterate over what it prints."""
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        limits = [str(os.getpid()), str(self._limit), str(MEMORY)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-ISc", _GUARD, *limits, "git", *settings, *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=self.folder, env=self._environment, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        said = asyncio.create_task(_tail(process.stderr))
        try:
            while piece := await process.stdout.read(BLOCK):
                yield piece
            error = await said
            if await process.wait():
                raise self._failure(error, what)
        finally:
            said.cancel()
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    def _failure(self, error: str, what: str) -> Exception:
        if f"signal {int(signal.SIGXFSZ)}" in error or "File too large" in error or "size limit" in error:
            return too_large(self._limit)
        if any(words in error for words in _NO_SUCH_REF) or not error:
            return Invalid(f"The repository has no branch, tag or commit '{what}'.", field="ref")
        return Invalid(f"git could not fetch it ({error.splitlines()[-1][:300]}).", field="url", reason="fetch_failed")


async def _tail(stream: asyncio.StreamReader) -> str:
    kept = b""
    while piece := await stream.read(4096):
        kept = (kept + piece)[-4096:]
    return kept.decode("utf-8", "replace").strip()


async def _measure(folder: Path, at: Progress) -> None:
    """Keep count of what has arrived: git tells nobody but terminals."""
    while True:
        await asyncio.sleep(MEASURE_SECONDS)
        at.fetched = await asyncio.to_thread(_bytes, folder / "objects")


def _bytes(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
