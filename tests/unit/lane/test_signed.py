"""A lane where events must be signed and results are: forged ones move nothing, and nothing goes out unsigned."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from processor.keys.ring import KeyRing
from processor.keys.signer import EventSigner
from processor.lane.authenticate import Gate
from schemas.signing import verify
from tests.unit.keys.keyfiles import key_file, put
from tests.unit.lane.world import World, bet, deposit, eventually, open_player

SECRET = bytes(range(32))


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    put(
        tmp_path,
        key_file("acme-1"),
        key_file("cashier-1", owner="cashier"),
        key_file("operator-1", owner="operator", secret=SECRET),
    )
    ring = KeyRing(tmp_path, environment="production")
    ring.load()
    return ring


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def send(world: World, signer: EventSigner | None, *events: Mapping[str, Any]) -> None:
    for event in events:
        value = orjson.dumps(event)
        headers = [] if signer is None else signer(value)
        world.cluster.append(
            0, value, key=str(event["player_id"]).encode(), headers=headers, timestamp=now_ms()
        )


async def test_forged_events_become_dead_letters_and_the_players_others_go_on(
    world: World, ring: KeyRing
) -> None:
    world.gate = Gate(ring, window_ms=300_000)
    signer = EventSigner(ring)
    send(world, signer, open_player("p-1"), deposit("p-1", "d-1", "10.00"))
    send(world, None, bet("p-1", "b-forged"))
    send(world, EventSigner(ring, key=ring.find(b"cashier-1")), bet("p-1", "b-stolen"))
    send(world, signer, bet("p-1", "b-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.results()) == 3)
    assert world.answered()[-1] == "b-1"
    assert [letter.reason for letter in world.store.dead_letters] == ["BAD_SIGNATURE", "NOT_PERMITTED"]
    assert world.store.balance_minor("p-1", "EUR") == 900


async def test_a_signed_record_that_comes_again_is_a_repeat_and_moves_nothing(
    world: World, ring: KeyRing
) -> None:
    world.gate = Gate(ring, window_ms=300_000)
    send(world, EventSigner(ring), open_player("p-1"), deposit("p-1", "d-1", "10.00"))
    caught = world.cluster.events[0][1]
    world.cluster.append(0, caught.value, key=caught.key, headers=caught.headers, timestamp=now_ms())
    async with world.one_lane():
        await eventually(lambda: len(world.results()) == 3)
    assert [body["replayed"] for body in world.results()] == [False, False, True]
    assert world.store.balance_minor("p-1", "EUR") == 1000


async def test_results_carry_the_operators_signature_as_rendered(world: World, ring: KeyRing) -> None:
    world.results_keys = ring
    send(world, None, open_player("p-1"), deposit("p-1", "d-1", "10.00"))
    async with world.one_lane():
        await eventually(lambda: len(world.results()) == 2)
    for record in world.cluster.results:
        headers = {name: content or b"" for name, content in record.headers}
        assert headers["x-key-id"] == b"operator-1"
        assert verify(SECRET, record.value or b"", headers["x-timestamp"], headers["x-signature"])
        applied_at = datetime.fromisoformat(orjson.loads(record.value or b"")["applied_at"])
        assert abs(int(headers["x-timestamp"]) - applied_at.timestamp() * 1000) <= 1


async def test_without_a_key_of_the_operator_results_wait_and_none_goes_out_unsigned(
    world: World, ring: KeyRing, tmp_path: Path
) -> None:
    world.results_keys = ring
    put(tmp_path, key_file("operator-1", owner="operator", secret=None, revoked_at=datetime.now(UTC)))
    assert ring.refresh()
    send(world, None, open_player("p-1"))
    async with world.one_lane():
        await eventually(lambda: ("retrying", 0, "NoSigningKey") in world.observer.heard)
        assert world.results() == []
        put(tmp_path, key_file("operator-2", owner="operator"))
        assert ring.refresh()
        await eventually(lambda: len(world.results()) == 1)
    assert dict(world.cluster.results[0].headers)["x-key-id"] == b"operator-2"


async def test_an_unsigned_installation_adds_no_header(world: World) -> None:
    send(world, None, open_player("p-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.results()) == 1)
    assert not [name for name, _ in world.cluster.results[0].headers if name.startswith("x-")]


@pytest.fixture
def world() -> World:
    return World()
