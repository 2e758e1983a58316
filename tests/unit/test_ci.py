"""The rule of CI that no test may be skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = """
import pytest
def test_skips(): pytest.skip("no reason at all")
@pytest.mark.skip(reason="marked so")
def test_marked(): pass
@pytest.mark.xfail(reason="known")
def test_known(): assert False
def test_passes(): pass
"""


@pytest.mark.parametrize(
    ("ci", "summary"), [("true", "1 failed, 1 passed, 1 xfailed, 1 error"), ("", "1 passed, 2 skipped, 1 xfailed")]
)
def test_a_skip_is_a_failure_in_ci_and_only_there(tmp_path: Path, ci: str, summary: str) -> None:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(SKIPS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_skips.py")],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert summary in done.stdout, done.stdout
    assert ("no reason at all" in done.stdout) == (ci == "true")
