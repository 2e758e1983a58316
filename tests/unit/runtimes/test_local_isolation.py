"""What a replica may see and write."""

import os
import sys
from pathlib import Path

import pytest

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.base import Bind
from pumpkin_services.runtimes.local import LocalRuntime

from .conftest import Bench


@pytest.fixture
def binds(tmp_path: Path) -> list[Bind]:
    """A code, a dataset and an output folder."""
    found = []
    for name, target, writable in (("c", "/code", False), ("d", "/dataset/digits", False), ("o", "/model", True)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"{target}\n")
        found.append(Bind(source=str(tmp_path / name), target=target, writable=writable))
    return found


async def test_a_portable_script_finds_its_folders_either_way(bench: Bench, binds: list[Bind], tmp_path: Path) -> None:
    script = (
        'cat file "$PUMPKIN_DATASETS/digits/file" && echo made > "$PUMPKIN_OUTPUT/model" '
        '&& touch "$PUMPKIN_HOME/mine" && ls "$PUMPKIN_PRETRAINED"'
    )
    key = await bench.launch("w", "sh", "-c", script, binds=binds)
    assert (await bench.end(key)).exit_code == 0
    assert await bench.log(key) == "/code\n/dataset/digits\n"
    assert (tmp_path / "o" / "model").read_text() == "made\n"


@pytest.fixture
async def sealed(tmp_path: Path, bubblewrap: str):
    bench = Bench(tmp_path / "data", "always")
    await bench.runtime.start()
    yield bench
    await bench.close()


async def test_inputs_cannot_be_written(sealed: Bench, binds: list[Bind], tmp_path: Path) -> None:
    script = "echo x > /code/file; echo x > /dataset/digits/new; echo x > /etc/new; echo x > /new; echo x > /usr/new"
    await sealed.run("w", "sh", "-c", script, binds=binds)
    assert (tmp_path / "c/file").read_text() == "/code\n"
    assert not (tmp_path / "d/new").exists()
    assert not Path("/etc/new").exists()
    assert not Path("/usr/new").exists()


async def test_neither_secrets_nor_siblings_nor_homes_are_seen(sealed: Bench) -> None:
    secrets = sealed.data / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("the-platforms-key")
    sibling = await sealed.launch("sibling", "sh", "-c", "echo the-siblings-line; sleep 60")
    await sealed.line(sibling)
    places = f"{sealed.data} {sealed.folder(sibling)} /home /root/.ssh /root/.bashrc /var /etc/shadow /etc/ssh"
    script = (
        f"cat {secrets}/key {sealed.folder(sibling)}/log /etc/shadow; "
        f"for p in {places}; do ls -A $p 2>/dev/null; done; ls /proc | grep -c '^[0-9]'"
    )
    key = await sealed.launch("w", "sh", "-c", script)
    await sealed.end(key)
    lines = [line for line in (await sealed.log(key)).splitlines() if not line.startswith("cat:")]
    here = Path(sys.prefix)  # the way to Python and our packages is seen where they lie below one of the places
    ways = {here.relative_to(place).parts[0] for place in places.split() if here.is_relative_to(place)}
    assert [line for line in lines[:-1] if line not in ways] == ["/etc/shadow"]  # it is there, and empty
    assert int(lines[-1]) <= 6


async def test_a_variable_of_the_job_does_not_reach_the_sandbox_maker(sealed: Bench, tmp_path: Path) -> None:
    """LD_PRELOAD would otherwise be code of the user that runs outside the sandbox."""
    key = await sealed.launch("w", "sh", "-c", "echo up; sleep 60", env={"LD_PRELOAD": "/model/evil.so"})
    seen = await sealed.until(key, "running")
    assert b"LD_PRELOAD" not in Path(f"/proc/{seen.pid}/environ").read_bytes()


async def test_the_job_has_no_capabilities(sealed: Bench) -> None:
    key = await sealed.launch("w", "grep", "CapEff", "/proc/self/status")
    await sealed.end(key)
    assert int((await sealed.log(key)).split()[1], 16) == 0


async def test_scratch_space_is_private_and_goes_with_the_job(bench: Bench) -> None:
    key = await bench.launch("w", "sh", "-c", 'echo x > "$TMPDIR/mine"; echo "$TMPDIR"')
    await bench.end(key)
    await bench.runtime.wait_change(0.3)
    assert not list(bench.folder(key).glob("scratch/*/mine"))
    assert not os.path.exists("/tmp/mine")


async def test_isolation_that_was_demanded_is_not_silently_left_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runtime = LocalRuntime(data=tmp_path / "data", isolate="always")
    with pytest.raises(Unavailable, match="bubblewrap"):
        await runtime.start()
