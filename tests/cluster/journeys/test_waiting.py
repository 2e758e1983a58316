"""Journey 3 with pods for processes."""

from tests.integration.journeys.test_waiting import *  # noqa: F403
