"""Step 2: whose signature is believed, for what, and for how long; each refusal with the first reason that holds."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.precedence import DECIDED_TYPES
from processor.keys.key import Key
from processor.keys.ring import KeyRing
from processor.keys.signer import signed_by
from processor.lane.authenticate import Gate, authenticate
from processor.lane.dead_letters import REPLAY_COUNT, REPLAY_KEY_ID, REPLAY_OF, REPLAY_SIGNATURE
from processor.lane.decode import Door
from processor.lane.work import Arrival
from processor.ops.signing import vouched
from processor.ports import StoredRecord, UnparsableRecord
from schemas.reasons import Reason
from tests.unit.keys.keyfiles import NOW, NOW_MS, key_file, ring_of
from tests.unit.schemas.door import CURRENCIES, example

WINDOW_MS = 300_000
LETTER = "1-3-17"
BET = json.dumps(example("bet")).encode()

Headers = Sequence[tuple[str, bytes | None]]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return ring_of(
        tmp_path_factory.mktemp("keys"),
        key_file("acme-1"),
        key_file("acme-2"),
        key_file("acme-bets", types=("bet",)),
        key_file("acme-staging", environment="staging"),
        key_file("acme-early", not_before=NOW + timedelta(seconds=1)),
        key_file("acme-late", not_after=NOW),
        key_file("acme-revoked", secret=None, revoked_at=NOW),
        key_file("other-1", owner="other"),
        key_file("cashier-1", owner="cashier"),
        key_file("operator-1", owner="operator"),
        key_file("operator-2", owner="operator"),
        key_file("operator-staging", owner="operator", environment="staging"),
        key_file("operator-late", owner="operator", not_after=NOW),
    )


def key(ring: KeyRing, key_id: str) -> Key:
    found = ring.find(key_id.encode())
    assert found is not None
    return found


def signed(
    ring: KeyRing, key_id: str, value: bytes = BET, *, at_ms: int = NOW_MS
) -> list[tuple[str, bytes | None]]:
    return list(signed_by(key(ring, key_id), value, at_ms=at_ms))


def arrival(headers: Headers, value: bytes | None = BET, *, came_ms: int = NOW_MS) -> Arrival:
    """What came of a record with these headers at the gate, and behind it at the door."""
    return Arrival(StoredRecord(3, 18, came_ms, b"p-7", value, headers))


def judged(ring: KeyRing, one: Arrival) -> Arrival:
    authenticate([one], max_event_bytes=65_536, gate=Gate(ring, window_ms=WINDOW_MS))
    Door(CURRENCIES, DECIDED_TYPES).open([one])
    assert (one.command is None) == (one.reason is not None)
    return one


def reason(
    ring: KeyRing, headers: Headers, value: bytes | None = BET, *, came_ms: int = NOW_MS
) -> str | None:
    return judged(ring, arrival(headers, value, came_ms=came_ms)).reason


def event(event_type: str, **changes: Any) -> bytes:
    return json.dumps(example(event_type, **changes)).encode()


def test_what_its_provider_signed_goes_on(ring: KeyRing) -> None:
    assert reason(ring, signed(ring, "acme-1")) is None
    assert reason(ring, signed(ring, "acme-bets")) is None
    assert reason(ring, [("x-other", b"1"), *signed(ring, "acme-2"), ("traceparent", None)]) is None


@pytest.mark.parametrize("missing", ["x-key-id", "x-timestamp", "x-signature"])
def test_an_absent_header_is_a_bad_signature(ring: KeyRing, missing: str) -> None:
    one = arrival([header for header in signed(ring, "acme-1") if header[0] != missing])
    assert judged(ring, one).reason is Reason.BAD_SIGNATURE
    assert missing in one.detail
    one = arrival([(name, None if name == missing else content) for name, content in signed(ring, "acme-1")])
    assert judged(ring, one).reason is Reason.BAD_SIGNATURE


def test_a_record_without_a_value_must_be_signed_like_any_other(ring: KeyRing) -> None:
    assert reason(ring, (), None) is Reason.BAD_SIGNATURE
    assert reason(ring, signed(ring, "acme-1", b""), None) is Reason.UNDECODABLE


@pytest.mark.parametrize("key_id", ["acme-early", "acme-late"])
def test_a_key_counts_only_while_it_is_valid(ring: KeyRing, key_id: str) -> None:
    one = judged(ring, arrival(signed(ring, key_id)))
    assert one.reason is Reason.UNKNOWN_KEY
    assert key_id in one.detail
    moment = 1000 if key_id == "acme-early" else -1
    assert reason(ring, signed(ring, key_id), came_ms=NOW_MS + moment) is None


@pytest.mark.parametrize("key_id", [b"acme-9", b"acme-revoked", b"ACME-1", b"", b"\xff\0", b"x" * 100_000])
def test_a_key_that_is_not_here_is_unknown(ring: KeyRing, key_id: bytes) -> None:
    headers = [("x-key-id", key_id), *signed(ring, "acme-1")[1:]]
    one = judged(ring, arrival(headers))
    assert one.reason is Reason.UNKNOWN_KEY
    assert len(one.detail) < 100


def test_not_a_byte_may_be_changed(ring: KeyRing) -> None:
    headers = signed(ring, "acme-1")
    name, signature = headers[2]
    assert signature is not None
    assert reason(ring, headers, BET.replace(b"2.50", b"2.51")) is Reason.BAD_SIGNATURE
    assert reason(ring, headers, BET + b" ") is Reason.BAD_SIGNATURE
    assert (
        reason(ring, [headers[0], ("x-timestamp", b"%d" % (NOW_MS + 1)), headers[2]]) is Reason.BAD_SIGNATURE
    )
    assert reason(ring, [("x-key-id", b"acme-2"), *headers[1:]]) is Reason.BAD_SIGNATURE
    for wrong in (b"", signature.upper(), signature[:-1], b"0" * 64, b"\xff" * 64, signature + b"0"):
        assert reason(ring, [*headers[:2], (name, wrong)]) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "timestamp", [b"", b"now", b"-1", b"1e12", b"1 ", "１２３".encode(), b"9" * 5000, b"+1"]
)
def test_a_timestamp_that_is_no_number_is_a_bad_signature_even_if_it_is_signed(
    ring: KeyRing, timestamp: bytes
) -> None:
    signature = key(ring, "acme-1").sign(BET, timestamp)
    headers = [("x-key-id", b"acme-1"), ("x-timestamp", timestamp), ("x-signature", signature)]
    assert reason(ring, headers) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("side", [-1, 1])
def test_the_window_is_measured_against_the_brokers_time_on_both_sides(ring: KeyRing, side: int) -> None:
    assert reason(ring, signed(ring, "acme-1", at_ms=NOW_MS + side * WINDOW_MS)) is None
    one = judged(ring, arrival(signed(ring, "acme-1", at_ms=NOW_MS + side * (WINDOW_MS + 1))))
    assert one.reason is Reason.STALE_TIMESTAMP
    assert "300 s are allowed" in one.detail
    long_ago = (
        NOW_MS - 10**9
    )  # a backlog makes nothing stale: only the two times count, never the worker's clock
    assert reason(ring, signed(ring, "acme-1", at_ms=long_ago), came_ms=long_ago) is None


def test_a_forged_record_is_compared_in_constant_time(ring: KeyRing) -> None:
    with patch("schemas.signing.hmac.compare_digest", wraps=hmac.compare_digest) as compared:
        reason(ring, [*signed(ring, "acme-1")[:2], ("x-signature", b"0" * 64)])
    assert compared.call_count == 1


@pytest.mark.parametrize(
    ("key_id", "value"),
    [
        ("other-1", BET),
        ("acme-staging", BET),
        ("acme-bets", event("win")),
        ("operator-1", BET),
        ("cashier-1", BET),
        ("acme-1", event("deposit")),
        ("operator-1", event("deposit")),
        ("cashier-1", event("open_player")),
        ("acme-1", event("open_player", provider="acme")),
        ("cashier-1", event("deposit", provider="acme")),
        ("operator-staging", event("open_player")),
    ],
)
def test_nobody_sends_what_is_not_his_to_send(ring: KeyRing, key_id: str, value: bytes) -> None:
    one = judged(ring, arrival(signed(ring, key_id, value), value))
    assert one.reason is Reason.NOT_PERMITTED
    assert one.claimed_player_id == "p-7"


@pytest.mark.parametrize(
    ("key_id", "value"),
    [("cashier-1", event("deposit")), ("operator-1", event("open_player")), ("acme-1", event("win"))],
)
def test_everybody_sends_what_is_his_to_send(ring: KeyRing, key_id: str, value: bytes) -> None:
    assert reason(ring, signed(ring, key_id, value), value) is None


def test_permission_has_its_place_in_the_order_of_reasons(ring: KeyRing) -> None:
    wrong_key, bad_money = event("bet", player_id="p-8"), event("bet", amount="1.234", metadata={})
    assert reason(ring, signed(ring, "other-1", wrong_key), wrong_key) is Reason.KEY_MISMATCH
    assert reason(ring, signed(ring, "other-1", b"{"), b"{") is Reason.UNDECODABLE
    assert reason(ring, signed(ring, "other-1", bad_money), bad_money) is Reason.NOT_PERMITTED
    assert reason(ring, signed(ring, "acme-1", bad_money), bad_money) is Reason.INVALID_AMOUNT
    no_text = event("bet", amount=1, metadata={})
    assert reason(ring, signed(ring, "other-1", no_text), no_text) is Reason.NOT_PERMITTED


def test_size_comes_before_the_signature_and_an_unparsable_record_before_both(ring: KeyRing) -> None:
    assert reason(ring, (), b"x" * 65_537) is Reason.TOO_LARGE
    one = Arrival(UnparsableRecord(3, 18, NOW_MS, "a header is no UTF-8", b"", None, None))
    assert judged(ring, one).reason is Reason.UNDECODABLE


def test_without_a_gate_nobody_has_to_sign() -> None:
    one = arrival(())
    authenticate([one], max_event_bytes=65_536)
    assert (one.reason, one.sender) == (None, None)


OLD_MS = NOW_MS - 7 * 86_400_000


def replayed(ring: KeyRing, by: str, *, letter: str = LETTER, value: bytes = BET) -> Headers:
    return [(REPLAY_OF, LETTER.encode()), (REPLAY_COUNT, b"1"), *vouched(key(ring, by), letter, value)]


def test_the_operators_signature_over_a_letter_excuses_the_age_of_the_senders(ring: KeyRing) -> None:
    old = signed(ring, "acme-1", at_ms=OLD_MS)
    assert reason(ring, old) is Reason.STALE_TIMESTAMP
    assert reason(ring, [*old, *replayed(ring, "operator-1")]) is None


def test_it_excuses_nothing_else(ring: KeyRing) -> None:
    vouching = replayed(ring, "operator-1")
    assert reason(ring, vouching) is Reason.BAD_SIGNATURE
    assert (
        reason(ring, [*signed(ring, "acme-2")[:2], *signed(ring, "acme-1")[2:], *vouching])
        is Reason.BAD_SIGNATURE
    )
    assert reason(ring, [*signed(ring, "acme-late", at_ms=OLD_MS), *vouching]) is Reason.UNKNOWN_KEY
    assert reason(ring, [*signed(ring, "other-1", at_ms=OLD_MS), *vouching]) is Reason.NOT_PERMITTED
    assert reason(ring, [*signed(ring, "acme-staging", at_ms=OLD_MS), *vouching]) is Reason.NOT_PERMITTED
    changed = BET.replace(b"2.50", b"9.99")
    assert reason(ring, [*signed(ring, "acme-1", at_ms=OLD_MS), *vouching], changed) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("by", ["acme-1", "cashier-1", "operator-staging", "operator-late"])
def test_only_the_operator_of_this_installation_excuses(ring: KeyRing, by: str) -> None:
    old = signed(ring, "acme-1", at_ms=OLD_MS)
    assert reason(ring, [*old, *replayed(ring, by)]) is Reason.STALE_TIMESTAMP


def test_an_excuse_is_for_one_letter_and_its_bytes(ring: KeyRing) -> None:
    old = signed(ring, "acme-1", at_ms=OLD_MS)
    other_letter, other_bytes = (
        replayed(ring, "operator-1", letter="1-3-18"),
        replayed(ring, "operator-1", value=b"{}"),
    )
    for excuse in (
        other_letter,
        other_bytes,
        [(REPLAY_SIGNATURE, b"\xff")],
        [(REPLAY_KEY_ID, b"operator-1")],
    ):
        assert reason(ring, [*old, *excuse]) is Reason.STALE_TIMESTAMP
    unnamed = [(name, content) for name, content in replayed(ring, "operator-1") if name != REPLAY_OF]
    assert reason(ring, [*old, *unnamed]) is Reason.STALE_TIMESTAMP


def test_a_correction_that_the_operator_signed_stands_for_its_sender(ring: KeyRing) -> None:
    corrected = event("bet", amount="3.00")
    own = signed(ring, "operator-1", corrected)
    assert reason(ring, own, corrected) is Reason.NOT_PERMITTED
    assert reason(ring, [*own, *replayed(ring, "operator-1", value=corrected)], corrected) is None
    assert (
        reason(ring, [*own, *replayed(ring, "operator-2", value=corrected)], corrected)
        is Reason.NOT_PERMITTED
    )
    stolen = signed(ring, "cashier-1", corrected)
    assert (
        reason(ring, [*stolen, *replayed(ring, "cashier-1", value=corrected)], corrected)
        is Reason.NOT_PERMITTED
    )


def test_a_correction_still_sends_only_what_its_sender_may(ring: KeyRing) -> None:
    corrected = event("deposit", provider="acme")
    headers = [*signed(ring, "operator-1", corrected), *replayed(ring, "operator-1", value=corrected)]
    assert reason(ring, headers, corrected) is Reason.NOT_PERMITTED


def test_the_replays_signature_is_none_for_an_event_and_the_other_way_round(ring: KeyRing) -> None:
    operator = key(ring, "operator-1")
    headers: Headers = [
        ("x-key-id", b"operator-1"),
        ("x-timestamp", b"%d" % NOW_MS),
        ("x-signature", operator.replay_signature(LETTER, BET)),
    ]
    assert reason(ring, headers) is Reason.BAD_SIGNATURE
    as_event = operator.sign(BET, LETTER.encode())
    excuse = [(REPLAY_OF, LETTER.encode()), (REPLAY_KEY_ID, b"operator-1"), (REPLAY_SIGNATURE, as_event)]
    assert reason(ring, [*signed(ring, "acme-1", at_ms=OLD_MS), *excuse]) is Reason.STALE_TIMESTAMP


_NAMES = st.sampled_from(
    ["x-key-id", "x-timestamp", "x-signature", REPLAY_OF, REPLAY_KEY_ID, REPLAY_SIGNATURE, REPLAY_COUNT]
)


@given(
    headers=st.lists(st.tuples(_NAMES, st.none() | st.binary(max_size=70) | st.just(b"acme-1")), max_size=12),
    value=st.none() | st.binary(max_size=50) | st.just(BET),
)
def test_whatever_the_headers_are_nothing_that_was_not_signed_gets_in(
    ring: KeyRing, headers: Headers, value: bytes | None
) -> None:
    one = judged(ring, arrival(headers, value))
    assert one.reason in (Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE)
    assert one.detail.isprintable()
    assert len(one.detail.encode()) < 300


def test_uses_are_counted_for_what_was_really_signed(tmp_path: Path) -> None:
    ring = ring_of(tmp_path, key_file("acme-1"))
    reason(ring, signed(ring, "acme-1"))
    reason(ring, [*signed(ring, "acme-1")[:2], ("x-signature", b"forged")])
    assert [(fact.uses, fact.last_used_ms) for fact in ring.facts()] == [(1, NOW_MS)]
