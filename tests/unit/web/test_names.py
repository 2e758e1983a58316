from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pumpkin_services.db import new_id
from pumpkin_services.names import NAME, Name, Reference
from pumpkin_services.problems import Invalid

names = st.from_regex(NAME, fullmatch=True).filter(lambda name: ".." not in name)


@given(st.none() | names, names, st.none() | st.integers(1, 999_999_999))
def test_a_reference_reads_back_as_written(workspace: str | None, name: str, version: int | None) -> None:
    reference = Reference(workspace, name, version)
    assert Reference.parse(str(reference), field="x") == reference


@pytest.mark.parametrize(
    "text",
    ["", "@1", "a@", "a@0", "a@-1", "a@1.0", "a@٣", "/a", "a/b/c", "A", "a b", "a\n", "../a", "a" * 64, "名", "🎃"],
)
def test_what_is_no_reference_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Reference.parse(text, field="dataset")
    assert caught.value.errors[0]["field"] == "dataset"


@pytest.mark.parametrize("text", ["", "a..b", ".a", "a.", "-a", "A", "a/b", "a\n", "a" * 10_000, "🎃"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(text)


def test_ids_increase_strictly_however_fast_they_are_made() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {len(item) for item in made} == {26}
