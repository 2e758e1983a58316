"""The truth table of belonging: our row, the Hub's group, and how fresh the Hub's word is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pumpkin_services.accounts.membership import Known, belonging

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LONG_AGO, JUST_NOW = NOW - timedelta(hours=1), NOW - timedelta(seconds=3)


@pytest.mark.parametrize(
    ("role", "deleted", "synced", "in_group", "expected"),
    [
        # both sides agree
        ("owner", False, LONG_AGO, True, ("owner", False, False)),
        (None, False, LONG_AGO, False, (None, False, False)),
        # the Hub did something by itself
        ("viewer", False, LONG_AGO, False, (None, False, True)),
        (None, False, LONG_AGO, True, ("member", True, False)),
        (None, True, LONG_AGO, True, ("member", True, False)),
        # we did something, and what the Hub says may be old
        ("viewer", False, JUST_NOW, False, ("viewer", False, False)),
        ("viewer", False, None, False, ("viewer", False, False)),
        (None, False, JUST_NOW, True, (None, False, False)),
        (None, False, None, True, (None, False, False)),
        (None, True, JUST_NOW, True, (None, False, False)),
        (None, True, None, True, (None, False, False)),
    ],
)
def test_a_workspace_counts_when_both_sides_agree_or_the_hub_has_yet_to_follow(
    role: Any, deleted: bool, synced: datetime | None, in_group: bool, expected: tuple[Any, bool, bool]
) -> None:
    known = {"lab": Known(role=role, deleted=deleted, synced=synced)}
    found = belonging("ann", groups={"lab"} if in_group else set(), known=known, taken=set(), now=NOW)
    assert (found.workspaces.get("lab"), found.adopt == ["lab"], found.drop == ["lab"]) == expected
    assert found.workspaces["ann"] == "owner"


def test_an_unknown_group_becomes_a_workspace_unless_its_name_is_not_fit_or_a_users() -> None:
    groups = {"new-lab", "Data Science", "bob", "a/b", "ann"}
    found = belonging("ann", groups=groups, known={}, taken={"bob", "ann"}, now=NOW)
    assert found.workspaces == {"ann": "owner", "new-lab": "member"}
    assert found.adopt == ["new-lab"]
