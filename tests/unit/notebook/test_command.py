"""The command of a job that runs a notebook, where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXTENSIONS = Path(__file__).parents[3] / "extensions"


def command(*options: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *options, "-m", "pumpkin.notebook"]
    return subprocess.run(
        words, env={"PYTHONPATH": str(EXTENSIONS), **env}, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_environment_without_the_packages_is_told_in_one_sentence_what_to_add() -> None:
    # Without site-packages nothing is installed.
    done = command("-S", PUMPKIN_ENVIRONMENT="ann/bare@2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "To run notebooks, the environment ann/bare@2 needs nbclient and ipykernel: add to it what is missing.\n"
    )


def test_outside_of_a_job_it_says_so() -> None:
    done = command()
    assert (done.returncode, done.stderr) == (
        1,
        "This is the command of a job: the variable 'PUMPKIN_URL' is not set.\n",
    )
