"""Server-sent events as the SDK reads them."""

from pumpkin._protocol import EventParser


def test_an_event_that_broke_off_is_not_taken_as_seen() -> None:
    parser = EventParser("0")
    assert [parser.feed(line) for line in ("id: 1", "data: one")] == [None, None]
    assert parser.last_id == "0", "a stream that breaks here goes on with the event 1"
    event = parser.feed("")
    assert (event and event.data, parser.last_id) == ("one", "1")
