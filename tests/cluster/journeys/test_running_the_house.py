"""Journey 4 with pods for processes."""

from tests.integration.journeys.test_running_the_house import *  # noqa: F403
