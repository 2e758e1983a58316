"""Journey 5 with pods for processes."""

from tests.integration.journeys.test_by_token import *  # noqa: F403
