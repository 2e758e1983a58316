import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin_services.billing.money import GIB, Running, cost, due, lasts_ms, micro, month_of, storage_due, words

prices = st.integers(0, 10**12)
times = st.integers(0, 10**9)
offsets = st.integers(0, 10**6)


@given(price=prices, cuts=st.lists(times, min_size=1))
def test_any_chain_of_intervals_costs_what_the_whole_costs(price: int, cuts: list[int]) -> None:
    at, total = 0, 0
    for cut in cuts:  # backwards too: a refund
        total += due(price, start_ms=0, charged_ms=at, until_ms=cut)
        at = cut
    assert total == cost(price, at)


@given(days=st.lists(st.tuples(st.integers(0, 2**60), st.integers(0, 10**15))))
def test_days_of_storage_cost_together_what_they_cost_exactly(days: list[tuple[int, int]]) -> None:
    charged = rest = exact = 0
    for size, price in days:
        amount, rest = storage_due(price, size=size, rest=rest)
        charged, exact = charged + amount, exact + size * price
        assert amount >= 0
        assert 0 <= rest < GIB
        assert charged * GIB + rest == exact


@given(
    available=st.integers(0, 10**12),
    meters=st.lists(st.tuples(st.integers(1, 10**10), offsets, offsets), min_size=1, max_size=6),
    charges=st.lists(st.floats(0, 1), max_size=5),
)
def test_charging_up_to_the_deadline_never_overdraws(
    available: int, meters: list[tuple[int, int, int]], charges: list[float]
) -> None:
    now = 3_000_000
    running = [Running(price_micro=p, start_ms=s, charged_ms=s + c) for p, s, c in meters]
    left = lasts_ms(available, running, now_ms=now)
    assert left is not None
    if left == 0:
        return  # it had to stop before already
    for until in [now + int(left * at) for at in sorted(charges)] + [now + left]:
        available -= sum(meter.due(until) for meter in running)
        running = [Running(price_micro=m.price_micro, start_ms=m.start_ms, charged_ms=until) for m in running]
        assert available >= 0


def test_what_costs_nothing_lasts_for_ever() -> None:
    assert lasts_ms(0, [Running(price_micro=0, start_ms=0, charged_ms=0)], now_ms=10) is None
    assert lasts_ms(0, [], now_ms=10) is None


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), ("12.5", 12_500_000), ("0.000001", 1), ("-3", -3_000_000), ("1e3", 10**9)]
)
def test_a_decimal_becomes_micro_units_exactly(text: str, amount: int) -> None:
    assert micro(text) == amount


@pytest.mark.parametrize("text", ["", "ten", "0.0000001", "NaN", "Infinity"])
def test_a_decimal_that_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        micro(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "¥0.00"), (12_500_000, "¥12.50"), (1, "¥0.000001"), (-2_050_000, "-¥2.05"), (-1, "-¥0.000001")],
)
def test_amounts_are_written_exactly(amount: int, text: str) -> None:
    assert words(amount, "¥") == text


def test_a_month_ends_at_midnight_utc() -> None:
    assert month_of(1_796_083_199_999) == "2026-11"
    assert month_of(1_796_083_200_000) == "2026-12"
