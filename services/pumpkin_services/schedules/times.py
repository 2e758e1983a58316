"""When a cron expression is due. The library and the zone database decide; here are the checks and the counting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from pumpkin_services.problems import Invalid

COUNTED = 100
"""So many missed times are counted; more are called "more than"."""
_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, or L for the last day",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7 (0 and 7 are Sunday), or SUN to SAT",
}
_LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=366), timedelta(days=3660))


@dataclass(frozen=True)
class Timing:
    """A cron expression of five fields in an IANA time zone, known to be good."""

    cron: str
    timezone: str

    @classmethod
    def parse(cls, cron: str, timezone: str, *, now: datetime) -> Timing:
        """Return it; raise `Invalid`, naming the field, for what no time could come from."""
        if timezone not in _zones():
            raise Invalid(
                f"There is no time zone '{timezone[:60]}': use a name like Asia/Shanghai or UTC.", field="timezone"
            )
        parts = cron.split()
        if len(parts) != 5:
            raise Invalid(
                f"A cron expression has five fields (minute, hour, day of month, month, day of week), "
                f"this has {len(parts)}.",
                field="cron",
            )
        made = cls(" ".join(parts), timezone)
        try:
            if made.after(now) is None:
                raise Invalid("This time never comes: choose another day or month.", field="cron")
        except CronSimError as error:
            raise Invalid(_told(str(error), parts), field="cron") from error
        return made

    def times(self, after: datetime) -> Iterator[datetime]:
        """Iterate over the times strictly after a moment, in UTC, as long as there are any.

        When clocks go forward, a time that is left out comes at the end of the gap; when they go back, a time of day
        comes once, at its first occurrence, while what comes every so many minutes or hours goes on: as Debian's cron.
        """
        last = after
        for found in CronSim(self.cron, after.astimezone(ZoneInfo(self.timezone))):
            # In the hour that comes twice the library begins at the first one, and two times in a gap both end it.
            if (moment := found.astimezone(UTC)) > last:
                last = moment
                yield moment

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time strictly after a moment, None when there is none within fifty years."""
        return next(self.times(moment), None)

    def upcoming(self, moment: datetime, *, count: int) -> list[datetime]:
        """Return the next `count` times."""
        return list(islice(self.times(moment), count))

    def passed(self, first: datetime, *, until: datetime) -> tuple[int, datetime]:
        """Return how many times there were from `first`, which is one, to `until`, and the last of them.

        Of more than `COUNTED` the number is `COUNTED + 1`.
        """
        count, last = 1, first
        for moment in self.times(first):
            if moment > until:
                return count, last
            count, last = count + 1, moment
            if count > COUNTED:
                return count, self._last(last, until)
        return count, last

    def _last(self, known: datetime, until: datetime) -> datetime:
        """Return the last time up to `until`; `known` is an earlier one. It looks back further and further."""
        for span in _LOOK_BACK:
            start = max(until - span, known)
            found = None
            for moment in self.times(start):
                if moment > until:
                    break
                found = moment
            if found is not None:
                return found
        return known

    def local(self, moment: datetime) -> str:
        """Return a moment as people in the time zone write it."""
        return f"{moment.astimezone(ZoneInfo(self.timezone)):%Y-%m-%d %H:%M}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _told(error: str, parts: list[str]) -> str:
    name = error.removeprefix("Bad ")
    if name not in _FIELDS:
        return f"This is not a cron expression: {error}."
    part = parts[list(_FIELDS).index(name)]
    return (
        f"The {name.replace('-', ' ')} '{part[:40]}' is not valid: write * or numbers from {_FIELDS[name]}, "
        "with , - and / between them."
    )
