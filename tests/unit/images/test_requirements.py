"""Pure: which requirement lines are taken, which are refused, and what the refusal says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin_services.images.failures import explain
from pumpkin_services.images.models import Requirements
from pumpkin_services.images.requirements import Unsafe, check_line, compare, lines_of, locked_packages
from pumpkin_services.problems import Invalid


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("numpy", "numpy"),
        (" numpy >= 2, < 3  # fast", "numpy<3,>=2"),
        ("torch[extra]==2.1 ; python_version > '3.10'", 'torch[extra]==2.1; python_version > "3.10"'),
        ("# only a comment", ""),
        ("   ", ""),
    ],
)
def test_plain_requirements_are_taken_in_their_normal_form(line: str, kept: str) -> None:
    assert check_line(line, allow_urls=False) == kept


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-e .", "editable"),
        ("--editable=git+https://example.org/x", "editable"),
        ("-r other.txt", "other files"),
        ("-c limits.txt", "other files"),
        ("--index-url https://evil.example/simple", "package index"),
        ("-i https://evil.example/simple", "package index"),
        ("--extra-index-url=https://evil.example/simple", "package index"),
        ("--find-links /tmp", "package index"),
        ("--no-binary :all:", "options"),
        ("numpy --hash=sha256:00", "options behind"),
        ("numpy==1 --config-settings=x=y", "options behind"),
        ("./wheels/x.whl", "local paths"),
        ("/etc/passwd", "local paths"),
        ("../x", "local paths"),
        ("~/x", "local paths"),
        ("file:///etc/passwd", "local paths"),
        ("C:\\x", "local paths"),
        ("https://example.org/x.whl", "name @ https"),
        ("x @ file:///etc/passwd", "only https"),
        ("x @ /etc/passwd", "only https"),
        ("x @ git+https://example.org/x", "only https"),
        ("x @ git+ssh://git@example.org/x", "password"),
        ("x @ http://example.org/x.whl", "only https"),
        ("x @ https://user:secret@example.org/x.whl", "password"),
        ("x @ https://token@example.org/x.whl", "password"),
        ("x @ https://example.org/x.whl", "not allowed on this platform"),
        ("numpy; rm -rf /", "PEP 508"),
        ("numpy\n--index-url https://evil.example", "control characters"),
        ("numpy\x00", "control characters"),
        ("naïve", "PEP 508"),
        ("🎃", "PEP 508"),
    ],
)
def test_a_line_that_could_do_harm_is_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(Unsafe, match=why):
        check_line(line, allow_urls=False)


def test_https_urls_without_credentials_are_taken_where_the_platform_allows_them() -> None:
    line = "x @ https://example.org/x-1.0-py3-none-any.whl"
    assert check_line(line, allow_urls=True) == line
    with pytest.raises(Unsafe, match="password"):
        check_line("x @ https://a:b@example.org/x.whl", allow_urls=True)


@given(st.text(max_size=80))
def test_whatever_is_taken_is_one_line_that_is_no_option_and_no_path(line: str) -> None:
    try:
        kept = check_line(line, allow_urls=False)
    except Unsafe:
        return
    assert "\n" not in kept
    assert not kept.startswith(("-", ".", "/"))
    assert "://" not in kept.split(";")[0]


def test_a_refusal_names_the_line_as_an_editor_numbers_it_and_hides_passwords() -> None:
    text = "numpy\n\n-e .\nx @ https://user:secret@example.org/x.whl\n"
    with pytest.raises(Invalid) as caught:
        lines_of(Requirements(requirements=text), allow_urls=False)
    assert [error["field"] for error in caught.value.errors] == ["requirements.3", "requirements.4"]
    assert "secret" not in str(caught.value.errors)


def test_a_continued_line_is_one_requirement() -> None:
    assert lines_of(Requirements(requirements="numpy>=2,\\\n  <3\r\nsix\r\n"), allow_urls=False) == [
        "numpy<3,>=2",
        "six",
    ]


def test_the_dependencies_of_a_pyproject_are_taken() -> None:
    text = '[project]\nname = "x"\ndependencies = ["numpy>=2", "six"]\n'
    assert lines_of(Requirements(pyproject=text), allow_urls=False) == ["numpy>=2", "six"]


@pytest.mark.parametrize("text", ["[project", "x = 1", '[project]\ndependencies = "six"', "a = " + "[" * 20000])
def test_a_pyproject_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        lines_of(Requirements(pyproject=text), allow_urls=False)


def test_too_many_requirements_are_refused() -> None:
    with pytest.raises(Invalid, match="1000 at most"):
        lines_of(Requirements(requirements=["six"] * 1001), allow_urls=False)


def test_a_lock_is_read_by_package() -> None:
    lock = (
        "six==1.17.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nTyping_Extensions==4.1 ; python_version < '4'\n"
    )
    assert locked_packages(lock) == {"six": "1.17.0", "typing-extensions": "4.1"}


def test_what_a_notebook_has_is_compared_by_normalised_name() -> None:
    installed = ["Six==2.0", "new.package==1", "-e git+https://example.org/mine#egg=mine", "# a comment"]
    difference, kept = compare(installed, {"six": "1.0", "gone": "3", "pip": "25"}, allow_urls=False)
    assert difference.added == {"new-package": "1"}
    assert difference.removed == {"gone": "3"}
    assert [(item.name, item.before, item.after) for item in difference.changed] == [("six", "1.0", "2.0")]
    assert [item.why.split()[0] for item in difference.refused] == ["editable"]
    assert kept == ["Six==2.0", "new.package==1"]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("error: Failed to install: x\n  cause: No space left on device (os error 28)", "disk_full"),
        ("error: Request failed\n  cause: Failed to fetch: http://x\n  cause: dns error", "network"),
        ("error: No interpreter found for Python 3.19 in search path", "not_found"),
        ("\x1b[31merror\x1b[0m: No solution found when resolving dependencies", "resolution_failed"),
        ("", "build_failed"),
    ],
)
def test_uvs_words_become_a_reason(output: str, reason: str) -> None:
    failure = explain(output)
    assert failure.reason == reason
    assert failure.message.endswith(".")
