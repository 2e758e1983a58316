"""When a cron expression is due: what is refused, the two days a year on which clocks change, and the counting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpkin_services.problems import Invalid
from pumpkin_services.schedules.times import COUNTED, Timing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def field(limit: range, *, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(limit.start, limit.stop - 1)
    one = st.one_of(number.map(str), st.sampled_from(names)) if names else number.map(str)
    between = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, 20).map(lambda n: f"*/{n}")
    return st.one_of(st.just("*"), one, between, step, st.lists(one, min_size=2, max_size=4).map(",".join))


crons = st.tuples(
    field(range(60)),
    field(range(24)),
    field(range(1, 29)),
    field(range(1, 13), names=("JAN", "DEC")),
    field(range(8), names=("MON", "SUN")),
).map(" ".join)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
timings = st.builds(Timing, crons, st.sampled_from(ZONES))


def times(cron: str, zone: str, start: str, count: int) -> list[str]:
    found = Timing.parse(cron, zone, now=NOW).upcoming(datetime.fromisoformat(start), count=count)
    return [f"{moment:%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("cron", "zone", "named", "told"),
    [
        ("60 * * * *", "UTC", "cron", "minute '60'"),
        ("* 24 * * *", "UTC", "cron", "hour '24'"),
        ("* * 0 * *", "UTC", "cron", "day of month '0'"),
        ("* * * 13 *", "UTC", "cron", "month '13'"),
        ("* * * * 8", "UTC", "cron", "day of week '8'"),
        ("* * * *", "UTC", "cron", "this has 4"),
        ("0 * * * * *", "UTC", "cron", "this has 6"),
        ("@daily", "UTC", "cron", "this has 1"),
        ("*/0 * * * *", "UTC", "cron", "minute"),
        ("0 0 30 2 *", "UTC", "cron", "day of month '30'"),
        ("0 0 31 4,6 */8", "UTC", "cron", "day of month '31'"),
        ("0 0 * * *", "Mars/Olympus", "timezone", "no time zone"),
        ("0 0 * * *", "../../etc/passwd", "timezone", "no time zone"),
        ("0 0 * * *", "America", "timezone", "no time zone"),
        ("0 0 * * *", "", "timezone", "no time zone"),
    ],
)
def test_what_no_time_could_come_from_is_refused_by_name(cron: str, zone: str, named: str, told: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Timing.parse(cron, zone, now=NOW)
    assert [error["field"] for error in refusal.value.errors] == [named]
    assert told in refusal.value.detail


@settings(max_examples=300, deadline=None)
@given(
    cron=st.one_of(st.text(max_size=40), st.text("0123456789*/,-L#W MONJAN", max_size=40)), zone=st.text(max_size=20)
)
def test_any_text_is_taken_or_refused_and_never_breaks(cron: str, zone: str) -> None:
    for name in (zone, "Europe/Berlin"):
        fields: list[str] = []
        try:
            assert len(Timing.parse(cron, name, now=NOW).upcoming(NOW, count=3)) >= 1
        except Invalid as refusal:
            fields = [error["field"] for error in refusal.errors]
        assert fields in ([], ["cron"], ["timezone"])


def test_every_zone_there_is_can_be_used() -> None:
    for zone in sorted(available_timezones()):
        assert Timing.parse("30 2 * * *", zone, now=NOW).after(NOW)


def test_a_time_of_day_that_a_spring_night_leaves_out_comes_at_the_end_of_the_gap() -> None:
    # Berlin, 29 March 2026: from 02:00 (01:00 UTC) to 03:00.
    assert times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00+00:00", 2) == ["03-29 01:00", "03-30 00:30"]
    assert times("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00+00:00", 3) == [
        "03-29 01:00",
        "03-29 01:30",
        "03-30 00:00",
    ]


def test_a_time_of_day_that_an_autumn_night_has_twice_comes_once() -> None:
    # Berlin, 25 October 2026: from 03:00 (01:00 UTC) back to 02:00.
    assert times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00+00:00", 2) == ["10-25 00:30", "10-26 01:30"]
    inside = "2026-10-25T01:10+00:00"  # the second 02:10
    assert times("30 2 * * *", "Europe/Berlin", inside, 1) == ["10-26 01:30"]


def test_what_comes_every_so_many_minutes_goes_on_through_both_nights() -> None:
    for start in ("2026-03-29T00:45+00:00", "2026-10-25T00:15+00:00"):
        begin = datetime.fromisoformat(start)
        found = Timing("*/30 * * * *", "Europe/Berlin").upcoming(begin, count=6)
        assert [(moment - begin).total_seconds() / 60 for moment in found] == [15, 45, 75, 105, 135, 165]


def test_half_an_hour_of_summer_time_works_too() -> None:
    # Lord Howe, 4 October 2026: from 02:00 (3 October, 15:30 UTC) to 02:30.
    assert times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00+00:00", 2) == ["10-03 15:30", "10-04 15:15"]


@settings(max_examples=300, deadline=None)
@given(timing=timings, moment=moments)
def test_times_go_forward_and_do_not_depend_on_where_one_starts(timing: Timing, moment: datetime) -> None:
    found = timing.upcoming(moment, count=6)
    assert found == sorted(set(found))
    assert all(earlier > moment for earlier in found)
    for earlier, later in pairwise(found):
        assert timing.after(earlier) == later
        assert timing.after(later - timedelta(seconds=1)) == later


@settings(max_examples=200, deadline=None)
@given(timing=timings, moment=moments, hours=st.floats(0, 24 * 400))
def test_what_passed_is_counted_and_the_last_of_it_found(timing: Timing, moment: datetime, hours: float) -> None:
    first = timing.after(moment)
    assert first is not None
    until = first + timedelta(hours=min(hours, 24 * 20))
    passed = [first, *takewhile(lambda time: time <= until, timing.times(first))]
    count, last = timing.passed(first, until=until)
    assert last == passed[-1]
    assert count == min(len(passed), COUNTED + 1)


def test_the_last_of_very_many_is_found_at_once() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    until = datetime(2036, 1, 1, 0, 0, 30, tzinfo=UTC)
    assert Timing("* * * * *", "UTC").passed(first, until=until) == (COUNTED + 1, datetime(2036, 1, 1, tzinfo=UTC))
    rare = Timing("0 0 29 2 *", "UTC")
    assert rare.passed(datetime(2028, 2, 29, tzinfo=UTC), until=until) == (2, datetime(2032, 2, 29, tzinfo=UTC))
