"""The command line as its users type it, against a whole platform, with real jobs."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.house import House

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(platform: House, tmp_path: Path) -> dict[str, str]:
    user = platform.user("cli-user")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PUMPKIN_", "JUPYTERHUB_"))}
    return clean | {"XDG_CONFIG_HOME": str(tmp_path), "PUMPKIN_URL": platform.url, "PUMPKIN_TOKEN": user.token}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def invoke(*words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from pumpkin.cli import main; main()", *words]
        answer = subprocess.run(
            command, env=environment | more, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert "Traceback" not in answer.stderr
        return answer

    return invoke


def test_a_new_user_logs_in_with_a_one_time_password_and_chooses_one(platform: House, run: Run, tmp_path: Path):
    once = platform.command("password", "newcomer").stdout.strip()
    own = {"PUMPKIN_URL": "", "PUMPKIN_TOKEN": ""}
    assert run("whoami", PUMPKIN_TOKEN="").returncode == 3
    login = ("login", platform.url, "--user", "newcomer", "--password-stdin")
    wrong = run(*login, stdin="not it\n", **own)
    assert (wrong.returncode, "do not match" in wrong.stderr) == (3, True)
    assert run(*login, stdin=f"{once}\na-good-password-9\n", **own).returncode == 0
    assert json.loads(run("whoami", "--json", **own).stdout)["name"] == "newcomer"
    assert run("logout", **own).returncode == 0
    assert run(*login, stdin="a-good-password-9\n", **own).returncode == 0


def test_from_a_folder_to_a_model_and_back(run: Run, tmp_path: Path):
    data, code = tmp_path / "numbers", tmp_path / "mean"
    data.mkdir()
    code.mkdir()
    (data / "n.txt").write_text("1 2 3 6")
    (code / "mean.py").write_text(
        "import pumpkin\n"
        "values = [int(word) for word in (pumpkin.dataset() / 'n.txt').read_text().split()]\n"
        "mean = sum(values) / len(values)\n"
        "pumpkin.log_metrics(step=1, mean=mean)\n"
        "(pumpkin.output() / 'mean').write_text(str(mean))\n"
        "print('the mean is', mean)\n"
    )
    assert run("dataset", "push", str(data)).returncode == 0
    assert run("algorithm", "push", str(code)).returncode == 0
    done = run(
        "job", "run", "--spec", "cpu-small", "-d", "numbers", "-a", "mean", "-o", "mean-model", "--wait",
        "python $PUMPKIN_CODE/mean.py",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "the mean is 3.0\n"), done.stderr
    assert "made the model cli-user/mean-model@1" in done.stderr
    assert run("model", "cat", "mean-model", "mean").stdout == "3.0"
    shown = json.loads(run("model", "show", "mean-model", "--json").stdout)
    assert shown["lineage"]["datasets"] == ["cli-user/numbers@1"]
    assert shown["lineage"]["metrics"] == {"mean": 3.0}
    assert run("job", "metrics", "mean").stdout == "mean\t1\t3\n"
    assert run("job", "logs", "mean").stdout == "the mean is 3.0\n"


def test_waiting_answers_with_the_jobs_own_exit_code(run: Run):
    done = run("job", "run", "--spec", "cpu-small", "--name", "seven", "--wait", "echo out; echo err >&2; exit 7")
    assert done.returncode == 7
    assert set(done.stdout.split()) == {"out", "err"}
    again = run("job", "rerun", "seven", "--wait")
    assert again.returncode == 7
    exported = run("job", "export", "seven").stdout
    imported = run("job", "import", "-", "--wait", stdin=exported)
    assert imported.returncode == 7


def test_interrupting_a_wait_leaves_the_job_running_and_says_how_to_come_back(run: Run, environment: dict[str, str]):
    # Whoever runs the tests in the background has interrupts ignored, and so would what they start.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heard}; from pumpkin.cli import main; main()"]
    words = ["job", "run", "--spec", "cpu-small", "--name", "long", "--wait", "echo begun; sleep 60"]
    main, side = pty.openpty()  # a terminal, as a person has
    with subprocess.Popen([*command, *words], env=environment, stdout=side, stderr=side, text=True) as waiting:
        os.close(side)
        said = ""
        limit = time.monotonic() + 60
        while "begun" not in said and time.monotonic() < limit:
            said += os.read(main, 4096).decode(errors="replace")
        waiting.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # Linux's end of a terminal nobody holds any more
            while more := os.read(main, 4096):
                said += more.decode(errors="replace")
        assert waiting.wait(20) == 130, said
    os.close(main)
    assert "The job runs on" in said, said
    assert json.loads(run("job", "show", "long", "--json").stdout)["phase"] == "running"
    assert run("job", "stop", "long").returncode == 0
    assert run("job", "wait", "long").returncode != 0
    assert run("job", "delete", "long", "-y").returncode == 0
    assert run("job", "show", "long").returncode == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("job", "run", "--spec", "none-such", "true"), "no spec 'none-such'"),
        (("job", "run", "--spec", "cpu-small", "-d", "none-such", "true"), "none-such"),
        (("job", "run", "--spec", "cpu-small", "--env", "novalue", "true"), "not NAME=value"),
        (("job", "run", "--spec", "cpu-small", "--budget", "lots", "true"), "not an amount"),
        (("dataset", "create", "../x"), "name"),
        (("dataset", "push", "/none/such"), "no file or folder"),
        (("billing", "recharge", "cli-user", "5"), "billing:admin"),
        (("user", "list"), "accounts:admin"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_refusal_is_one_sentence(run: Run, words: tuple[str, ...], sentence: str):
    answer = run(*words)
    assert answer.returncode in (1, 3, 4)
    assert sentence in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
