"""The traffic: one seed, one play; everything that it promises to contain is in it."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.play import Traffic
from schemas.currencies import BUILT_IN_CURRENCIES
from schemas.decoding import decode
from schemas.reading import refuse_oversize
from schemas.reasons import Refused


@pytest.fixture(scope="module")
def events() -> list[TrafficEvent]:
    return list(Traffic(7, 300).events(12_000))


def test_the_same_seed_gives_the_same_bytes(events: list[TrafficEvent]) -> None:
    assert list(Traffic(7, 300).events(12_000)) == events


def test_another_seed_gives_other_play(events: list[TrafficEvent]) -> None:
    other = list(Traffic(8, 300).events(12_000))
    assert [event.what for event in other] != [event.what for event in events]
    assert not {event.value for event in other if event.fields} & {
        event.value for event in events if event.fields
    }


def test_another_run_of_the_same_seed_is_the_same_play_under_other_ids(events: list[TrafficEvent]) -> None:
    other = list(Traffic(7, 300, run="again").events(12_000))
    assert [event.what for event in other] == [event.what for event in events]
    assert all(event.fields["transaction_id"].startswith("again-") for event in other if event.fields)


@pytest.mark.parametrize(
    "what",
    [
        "open player", "deposit", "withdrawal", "open session", "bet", "win", "close round",
        "bet beyond funds", "duplicate", "conflict", "rollback", "second rollback", "rollback before its bet",
        "bet after its rollback",
        "win before its bet", "bet after its win", "win without a bet", "torn JSON", "too many decimals",
        "an amount as a number", "a currency nobody knows", "another player's key", "a field missing",
        "the amount named twice", "a deposit that overflows",
        "refund", "refund of too much", "rollback after a refund", "refund after the win", "refund after the rollback",
        "reversal of a win", "second reversal", "adjustment", "bet and win", "batch", "limit", "bet above the limit",
        "limit on deposits", "deposit above the limit",
        "block", "bet of a blocked player", "deposit of a blocked player", "unblock", "transfer in",
        "bonus granted", "bonus released", "bonus taken back", "bet with a bonus", "win of a bet with a bonus",
        "rollback of a bet with a bonus", "refund of a bet with a bonus", "bet in a foreign currency",
        "win in a foreign currency", "rollback in a foreign currency", "bet beyond funds in a foreign currency",
        "bet in a live game", "transfer out of a balance that is not", "transfer out of too much", "transfer out",
    ],
)  # fmt: skip
def test_the_play_contains(what: str, events: list[TrafficEvent]) -> None:
    assert any(event.what == what for event in events)


def test_every_event_is_keyed_by_its_player_unless_it_is_meant_not_to_be(events: list[TrafficEvent]) -> None:
    for event in events:
        if event.fields is not None:
            assert event.key == event.fields["player_id"].encode()
            assert orjson.loads(event.value or b"") == event.fields


def test_ids_are_new_but_where_an_event_repeats_or_contradicts(events: list[TrafficEvent]) -> None:
    first = [e.fields for e in events if e.fields and e.what not in {"duplicate", "conflict"}]
    counted = Counter((fields["provider"], fields["transaction_id"]) for fields in first)
    assert set(counted.values()) == {1}


def test_a_duplicate_is_the_very_bytes_of_an_earlier_event(events: list[TrafficEvent]) -> None:
    seen: set[bytes | None] = set()
    for event in events:
        assert event.what != "duplicate" or event.value in seen
        seen.add(event.value)


def test_a_bet_comes_after_the_rollback_that_overtook_it(events: list[TrafficEvent]) -> None:
    overtaken = set()
    for event in events:
        if event.what == "rollback before its bet" and event.fields:
            overtaken.add(event.fields["reference"])
        if event.what == "bet after its rollback" and event.fields:
            assert event.fields["transaction_id"] in overtaken


def test_several_currencies_are_played(events: list[TrafficEvent]) -> None:
    assert {e.fields["currency"] for e in events if e.fields and e.what == "open player"} == {
        "EUR",
        "JPY",
        "BTC",
        "ETH",
    }


def test_whoever_waits_for_a_bet_that_never_comes_plays_no_more(events: list[TrafficEvent]) -> None:
    left: dict[bytes, int] = {}
    for event in events:
        if event.what == "win without a bet":
            left[event.key] = 0
        elif event.key in left:
            left[event.key] += 1
    assert left
    assert set(left.values()) == {1}, "only the bet queued behind the waiting win"


def test_without_orphans_everybody_goes_on_playing() -> None:
    played = list(Traffic(7, 30, orphans=False).events(40_000))
    assert not any(event.what == "win without a bet" for event in played)
    assert len({event.key for event in played[-2_000:] if event.fields}) >= 30


def test_without_rates_nothing_is_converted(events: list[TrafficEvent]) -> None:
    def providers(of: list[TrafficEvent]) -> set[object]:
        return {event.fields["provider"] for event in of if event.fields}

    assert providers(events) - providers(list(Traffic(7, 300, rates=False).events(12_000))) == {"abroad"}


def test_poison_can_be_left_out() -> None:
    assert not any(e.letter == "POISON" for e in Traffic(7, 300, poison=False).events(12_000))


def test_the_door_takes_what_must_get_a_result_and_refuses_the_rest_for_the_reason_given(
    events: list[TrafficEvent],
) -> None:
    for event in events:
        refusal: str | None = None
        try:
            refuse_oversize(event.value)
            decode(event.key, event.value, currencies=BUILT_IN_CURRENCIES)
        except Refused as refused:
            refusal = refused.reason.value
        assert refusal == (None if event.letter == "POISON" else event.letter), event.what
