"""The arithmetic of money: pure, in integers. Prices are micro-units per hour, times are milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

MICRO = 1_000_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
GIB = 1 << 30


def micro(text: str) -> int:
    """Return a decimal in whole units (`"12.5"`) in micro-units; raise `ValueError` for anything not exact."""
    try:
        value = Decimal(text) * MICRO
    except InvalidOperation as error:
        raise ValueError(f"'{text}' is not a decimal number") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"'{text}' has more than six decimals")
    return int(value)


def cost(price_micro: int, milliseconds: int) -> int:
    """Return what `milliseconds` at a price cost, rounded down."""
    return price_micro * milliseconds // HOUR_MS


def due(price_micro: int, *, start_ms: int, charged_ms: int, until_ms: int) -> int:
    """Return what is to be charged for `charged_ms`..`until_ms` of a run that began at `start_ms`.

    The difference of two cumulative costs, so that any chain of intervals sums to the cost of the whole. Negative
    when `until_ms` lies before `charged_ms`: that much was charged too much.
    """
    return cost(price_micro, until_ms - start_ms) - cost(price_micro, charged_ms - start_ms)


def storage_due(price_micro: int, *, size: int, rest: int) -> tuple[int, int]:
    """Return what a day of `size` bytes costs at a price per GiB and day, and the rest that the next day begins with.

    The rest is in 2⁻³⁰ micro-units: whatever the days, their charges and the last rest sum to the exact cost.
    """
    return divmod(rest + size * price_micro, GIB)


@dataclass(frozen=True, kw_only=True)
class Running:
    """One open meter, as far as arithmetic cares."""

    price_micro: int
    start_ms: int
    charged_ms: int

    def due(self, now_ms: int) -> int:
        """Return what it has cost since it was last charged."""
        until = max(now_ms, self.charged_ms)
        return due(self.price_micro, start_ms=self.start_ms, charged_ms=self.charged_ms, until_ms=until)


def lasts_ms(available_micro: int, meters: Sequence[Running], *, now_ms: int) -> int | None:
    """Return how many milliseconds from now on `available_micro` surely covers `meters`; None when nothing costs.

    One micro-unit per meter is held back: rounding down a cumulative cost may shift that much between intervals.
    """
    costly = [meter for meter in meters if meter.price_micro]
    if not costly:
        return None
    left = available_micro - sum(meter.due(now_ms) for meter in costly) - len(costly)
    return max(0, left) * HOUR_MS // sum(meter.price_micro for meter in costly)


def month_of(milliseconds: int) -> str:
    """Return the calendar month (UTC) of an epoch time: `2026-11`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m")


def words(amount_micro: int, currency: str) -> str:
    """Return an amount for people, exact, at least two decimals: `¥12.50`."""
    sign = "-" if amount_micro < 0 else ""
    whole, rest = divmod(abs(amount_micro), MICRO)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{currency}{whole}.{decimals}"
