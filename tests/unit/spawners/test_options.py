import pytest

from pumpkin_spawners.base import first_choice
from pumpkin_spawners.options import BadOptions, from_form, parse

GRANT = "01KB2F5Q0Z8T7W9X3Y4A6B5C7D"


def test_form_and_rest_mean_the_same():
    form = {"spec": ["small"], "datasets": ["digits@1, lab/words"], "idle_seconds": ["1800"], "algorithm": [" "]}
    rest = {"spec": "small", "datasets": ["digits@1", "lab/words"], "idle_seconds": 1800}
    assert parse(from_form(form)).wire() == parse(rest).wire() == rest


def test_nothing_chosen_is_nothing_sent():
    assert parse({}).wire() == {}
    assert from_form({"spec": [""], "_xsrf": ["2|x"]}) == {}


@pytest.mark.parametrize("options", [{"gpu": 8}, {"spec": "small", "image": "x"}, {"cmd": ["sh"]}])
def test_an_unknown_option_is_refused_by_its_name(options):
    with pytest.raises(BadOptions, match=sorted(set(options) - {"spec"})[0]):
        parse(options)


def test_an_unknown_option_of_the_form_is_refused_too():
    with pytest.raises(BadOptions, match="'gpu'"):
        parse(from_form({"gpu": ["8"]}))


@pytest.mark.parametrize(
    "options",
    [
        {"spec": "small\n"},
        {"spec": "../etc"},
        {"spec": 3},
        {"spec": ["small"]},
        {"grant": GRANT + "\n"},
        {"grant": "../../jobs"},
        {"datasets": "digits"},
        {"datasets": ["digits@0"]},
        {"datasets": ["a/b/c"]},
        {"environment": "x" * 10_000},
        {"environment": "torch@1\n"},
        {"idle_seconds": 1},
        {"idle_seconds": "abc"},
        {"idle_seconds": True},
        {"labels": ["x"] * 33},
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_naming_its_option(options):
    with pytest.raises(BadOptions, match=f"^{next(iter(options))}"):
        parse(options)


def test_a_grant_is_not_kept_for_the_next_start():
    assert parse({"grant": GRANT, "spec": "small"}).lasting() == {"spec": "small"}


@pytest.mark.parametrize(("free", "chosen"), [({"b", "c"}, "b"), (set(), "a"), ({"c"}, "c")])
def test_the_cheapest_free_spec_is_chosen_first(free, chosen):
    specs = [{"name": "c", "price_micro": 9}, {"name": "b", "price_micro": 5}, {"name": "a", "price_micro": 0}]
    assert first_choice(specs, free=free) == chosen
