"""The launcher, on real processes: it starts, refuses, comes back and leaves nothing."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pumpkin_hub import launcher
from tests.integration.house import House

Make = Callable[[], House]


def test_up_answers_tells_the_first_admin_and_ctrl_c_leaves_no_process(make_platform: Make) -> None:
    house = make_platform().up()
    assert house.answers()
    assert f"Pumpkin is up at {house.url}" in house.said()
    assert "one-time password" in house.said()
    pids = house.pids("launcher", "hub", "proxy", "service")
    assert len(pids) == 4

    status = house.command("status", "--json")
    document = json.loads(status.stdout)
    assert status.returncode == 0
    assert document["up"]
    assert {process["part"] for process in document["processes"]} == {"launcher", "hub", "proxy", "service"}

    assert house.down() == 0
    assert house.pids("launcher", "hub", "proxy", "service") == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert house.command("status").returncode == 1


def test_a_second_up_on_the_same_folder_is_refused_and_harms_nothing(make_platform: Make) -> None:
    house = make_platform().up()
    for detach in ((), ("--detach",)):
        second = house.command("up", f"--port={house.port + 40}", *detach)
        assert second.returncode == 2
        assert "already runs" in second.stderr
        assert "Traceback" not in second.stderr
    again = house.command("up", "--detach")
    assert again.returncode == 0
    assert f"up already, at {house.url}" in again.stdout
    assert house.answers()


def test_a_killed_hub_proxy_or_service_comes_back(make_platform: Make) -> None:
    house = make_platform().up()
    for part in ("hub", "service", "proxy"):
        killed = house.kill(part)
        house.wait(lambda part=part, killed=killed: house.pids(part) not in ([], [killed]))
        house.wait(house.answers)
        house.wait(lambda: "The Hub is back." in house.said())


def test_what_a_killed_launcher_leaves_is_ended_by_the_next_up(make_platform: Make) -> None:
    house = make_platform().up()
    left = house.pids()
    house.kill("launcher")
    assert house.process is not None
    house.process.wait(10)
    assert all(psutil.pid_exists(pid) for pid in left)

    (house.data / "run" / "ready").unlink()
    house.up()
    assert "Ended what an earlier run left behind" in house.said()
    assert not set(left) & set(house.pids())


def test_down_ends_a_detached_platform(make_platform: Make) -> None:
    house = make_platform()
    started = house.command("up", f"--port={house.port}", "--detach")
    assert started.returncode == 0, started.stderr
    assert f"Pumpkin is up at {house.url}" in started.stdout
    assert house.answers()
    logs = house.command("logs", "hub")
    assert "JupyterHub" in logs.stdout
    stopped = house.command("down")
    assert stopped.returncode == 0
    assert house.pids("launcher", "hub", "proxy", "service") == []
    assert "does not run" in house.command("down").stdout


def test_down_all_ends_the_supervisors_of_this_data_folder_only(make_platform: Make, tmp_path: Path) -> None:
    house = make_platform()
    script = tmp_path / "supervisor.py"
    script.write_text("import time; time.sleep(600)")
    started = []
    for folder in (house.data / "runs" / "w1" / "1" / "main-0", tmp_path / "other" / "runs" / "w2"):
        folder.mkdir(parents=True)
        started.append(psutil.Popen([sys.executable, "-I", "-S", str(script)], cwd=folder))
    ours, other = started
    # Takes note of the end at once, as its parent would: `down` waits for a process to be gone, not a zombie.
    threading.Thread(target=ours.wait, daemon=True).start()
    try:
        assert "1 running replicas" in house.command("down", "--all").stdout
        assert not ours.is_running()
        assert other.is_running()
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("offset", range(4))
def test_a_port_in_use_is_one_sentence(make_platform: Make, offset: int) -> None:
    house = make_platform()
    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port + offset))
        other.listen()
        refused = house.command("up", f"--port={house.port}")
    assert refused.returncode == 2
    assert f"Port {house.port + offset}" in refused.stderr
    assert "--port" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_data_folder_of_another_user_is_refused(make_platform: Make, tmp_path: Path) -> None:
    house = make_platform()
    house.data.mkdir()
    if os.geteuid() != 0:
        house.data = Path("/")
    else:
        os.chown(house.data, 12345, 12345)
    refused = house.command("up", f"--port={house.port}")
    assert refused.returncode == 2
    assert "belongs to another user" in refused.stderr
    house.data = tmp_path / "none"


def test_a_data_folder_that_cannot_be_made_is_refused(make_platform: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    house = make_platform()
    house.data = tmp_path / "file" / "data"
    refused = house.command("up")
    assert refused.returncode == 2
    assert "cannot be made" in refused.stderr
    house.data = tmp_path / "none"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("c.Pumpkin.prot = 1", "c.Pumpkin.prot, which is no setting"),
        ("c.Pumpkin.port = 'x'", "not acceptable"),
        ("c.Pumpkin.port = 70000", "The port is 70000"),
        ("c.Pumpkin.base_url = 'ai'", "begin and end it with '/'"),
        ("c.Pumpkin.authenticator = 'oidc'", "needs c.Pumpkin.oidc_issuer"),
        ("c.Pumpkin.authenticator = 'pam'", "not acceptable"),
        ("this is = not Python", "SyntaxError"),
    ],
)
def test_a_settings_file_that_is_wrong_is_one_sentence(make_platform: Make, text: str, sentence: str) -> None:
    house = make_platform()
    house.configure(text)
    refused = house.command("up")
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_hub_that_cannot_start_ends_the_launcher_with_its_log(make_platform: Make) -> None:
    house = make_platform()
    house.configure("c.JupyterHub.spawner_class = 'nowhere.Spawner'")
    failed = house.command("up", f"--port={house.port}")
    assert failed.returncode == 1
    assert "did not come up" in failed.stderr
    assert "nowhere" in failed.stderr
    assert house.pids("launcher", "hub", "proxy", "service") == []


def test_the_proxy_is_installed_from_the_lock_file_when_there_is_none(
    make_platform: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumpkin_hub import proxy
    from pumpkin_hub.place import open_data

    house = make_platform()
    open_data(house.data)
    monkeypatch.setattr(proxy, "beside_python", lambda: Path("/nowhere"))
    [node, script] = proxy.find_or_install(house.data)
    assert script.startswith(str(house.data))
    assert os.access(node, os.X_OK)


def test_without_node_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pumpkin_hub import proxy
    from pumpkin_hub.place import Refused

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(proxy, "beside_python", lambda: Path("/nowhere"))
    with pytest.raises(Refused, match=r"install Node\.js"):
        proxy.find_or_install(tmp_path)


def test_a_long_log_begins_anew_and_its_writers_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "LOG_BYTES", 10)
    log = tmp_path / "hub.log"
    with open(log, "ab", buffering=0) as writer:
        writer.write(b"twelve bytes")
        launcher.shorten(log)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert (tmp_path / "hub.log.1").read_bytes() == b"twelve bytes"


def test_sigterm_stops_as_ctrl_c_does(make_platform: Make) -> None:
    house = make_platform()
    process = house.launch()
    house.wait(lambda: house.pids("hub"))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(60) == 0
    assert time.monotonic() - began < 60
    assert house.pids("launcher", "hub", "proxy", "service") == []
