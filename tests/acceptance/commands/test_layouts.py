"""Lanes, partitions and players are changed while nothing works, and everything goes on afterwards as if it had not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from processor.devstack.stack import KAFKA_BOOTSTRAP, Stack, security_of
from processor.kafka.producing import EventSender, partition_for
from tests.acceptance.commands.conftest import Installation, Typed, running
from tests.acceptance.commands.test_operating import deposit, open_player
from tests.installations import Database, drop, make_database, make_topics

PLAYERS = [f"player-{number}" for number in range(12)]


@pytest.fixture
async def database(stack: Stack, template: str) -> AsyncIterator[Database]:
    made = await make_database(stack, template)
    yield made
    await drop(stack, made.name)


@pytest.fixture
async def house(stack: Stack, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Four partitions, as many shards, two lanes; nothing runs yet."""
    topics = await make_topics(stack.environment()[KAFKA_BOOTSTRAP], 4, security_of(stack.environment()))
    environment = {
        **stack.environment(),
        **database.environment(),
        **topics.environment(),
        "CROUPIER_SHARDS": "4",
        "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    }
    return Installation(environment, tmp_path_factory.mktemp("layouts"))


async def decided(house: Installation, lanes: int, *events: object, words: tuple[str, ...] = ()) -> list[Any]:
    """What a worker answers to these events; it is stopped afterwards."""
    file = house.events("events.jsonl", *events)
    async with running(house, *words) as worker:
        await worker.until_ready(lanes)
        sent = await house.type("send", file, "--wait", "--json", "--timeout-seconds", 120)
        assert sent.code == 0, sent.err
    assert worker.process.returncode == 0
    return sent.json_lines()


async def everybody_has_five_euros(house: Installation) -> None:
    events = [event for one in PLAYERS for event in (open_player(one), deposit(one, "5.00"))]
    answers = await decided(house, 2, *events, words=("--lanes", "2"))
    assert {answer["code"] for answer in answers} == {"OK"}


async def prove_that_all_is_well(house: Installation) -> None:
    audited = await house.type("audit", "--full", "--results", "--json")
    assert [one for one in audited.json()["proofs"] if one["fault"]] == []


def refused(typed: Typed, words: str) -> None:
    assert typed.code == 1, (typed.out, typed.err)
    assert words in typed.err


async def test_other_lanes_follow_once_nobody_works_and_everything_goes_on(house: Installation) -> None:
    await everybody_has_five_euros(house)
    more_lanes = ("lanes", "resize", "--lanes", 4)
    async with running(house) as worker:
        await worker.until_ready(2)
        refused(await house.type(*more_lanes, "--reason", "more machines"), "stop every worker first")
    assert (await house.type(*more_lanes)).code == 2
    changed = await house.type(*more_lanes, "--reason", "more machines", "--as", "eva", "--json")
    assert (changed.code, changed.json()["after"]["number"]) == (0, 2), changed.err
    lanes = (await house.type("lanes", "list", "--json")).json()
    assert [(one["layout"], one["lane"], one["partitions"]) for one in lanes] == [
        (2, lane, [lane]) for lane in range(4)
    ]
    again = await house.type(*more_lanes, "--reason", "again", "--json")
    assert again.json() == {"changed": False}
    answers = await decided(house, 4, *(deposit(one, "5.00", number) for one in PLAYERS for number in (1, 2)))
    assert [answer["replayed"] for answer in answers] == [True, False] * len(PLAYERS)
    assert {answer["balance"]["cash"] for answer in answers[1::2]} == {"10.00"}
    told = (await house.type("lanes", "show", 0, "--json")).json()
    assert told["last_batch_on_topics"] == told["applied_seq"] > 0
    assert told["places"][0]["metadata"] == f"2/{told['applied_seq']}"
    assert "Partitions" in (await house.type("lanes", "show", 0)).out
    assert (await house.type("lanes", "show", 9)).code == 1
    await prove_that_all_is_well(house)


async def test_partitions_are_multiplied_and_players_are_found_where_they_come_now(
    house: Installation,
) -> None:
    await everybody_has_five_euros(house)
    grow = ("topics", "grow", "--partitions")
    assert (await house.type(*grow, 6)).code == 2
    file = house.events("late.jsonl", deposit(PLAYERS[0], "5.00", 2))
    assert (await house.type("send", file)).code == 0
    refused(await house.type(*grow, 8), "not decided yet")
    await decided(house, 2)
    assert (await house.type(*grow, 8, "--json")).json()["partitions"] == 8
    assert (await house.type(*grow, 8)).code == 0
    wider = {"CROUPIER_PARTITIONS": "8"}
    assert (await house.type("topics", "check", **wider)).code == 0
    assert (await house.type("lanes", "resize", "--reason", "wider", "--json")).json()["after"][
        "partitions"
    ] == 8
    answers = await decided(house, 2, *(deposit(one, "1.00", 9) for one in PLAYERS))
    homes = {answer["player_id"]: answer["source"]["partition"] for answer in answers}
    assert homes == {one: partition_for(one.encode(), 8) for one in PLAYERS}
    assert max(homes.values()) >= 4
    assert {answer["code"] for answer in answers} == {"OK"}
    await prove_that_all_is_well(house)
    await a_wrong_partitioner_is_still_loud(house, next(one for one, home in homes.items() if home >= 4))


async def a_wrong_partitioner_is_still_loud(house: Installation, player: str) -> None:
    """Once learned, a home is fixed: the partition that the player left is no longer his."""
    settings = house.settings()
    async with EventSender(settings) as sender, running(house) as worker:
        await worker.until_ready(2)
        await sender.send_and_wait(
            orjson.dumps(deposit(player, "1.00", 10)),
            key=player.encode(),
            partition=partition_for(player.encode(), 4),
        )
        await worker.until(lambda line: line["action"] == "dead_letters.stored")
    found = (await house.type("dead-letters", "list", "--json")).json()["letters"]
    assert [one["reason"] for one in found] == ["KEY_MISMATCH"]


async def test_a_player_moves_with_everything_that_is_his(house: Installation) -> None:
    await everybody_has_five_euros(house)
    player, home = PLAYERS[0], partition_for(PLAYERS[0].encode(), 4)
    elsewhere = (home + 1) % 4
    move = ("players", "move", player, "--reason", "opened by a wrong partitioner")
    assert (await house.type("players", "move", player)).code == 2
    async with running(house) as worker:
        await worker.until_ready(2)
        refused(await house.type(*move, "--partition", elsewhere), "stop every worker first")
    moved = (await house.type(*move, "--partition", elsewhere, "--json")).json()
    assert (moved["from_partition"], moved["to_partition"]) == (home, elsewhere)
    refused(await house.type("players", "move", "nobody", "--reason", "x"), "not known")
    async with EventSender(house.settings()) as sender, running(house) as worker:
        await worker.until_ready(2)
        event = orjson.dumps(deposit(player, "1.00", 2))
        await sender.send_and_wait(event, key=player.encode(), partition=elsewhere)
        await sender.send_and_wait(event, key=player.encode(), partition=home)
        await worker.until(lambda line: line["action"] == "dead_letters.stored")
    balances = (await house.type("balance", player, "--json")).json()["balances"]
    assert balances[0]["balance"] == "6.00"
    assert (await house.type(*move, "--json")).json()["to_partition"] == home
    answers = await decided(house, 2, deposit(player, "1.00", 3))
    assert answers[0]["balance"]["cash"] == "7.00"
    await prove_that_all_is_well(house)


async def test_books_restored_behind_kafka_go_on_only_when_a_person_accepts_the_gap(
    house: Installation, stack: Stack, database: Database
) -> None:
    await everybody_has_five_euros(house)
    assert (await house.type("lanes", "accept-gap", "--reason", "why not", "--yes")).code == 1
    backup = await make_database(stack, database.name)
    restored = Installation({**house.environment, **backup.environment()}, house.directory)
    before = await decided(house, 2, *(deposit(one, "1.00", 2) for one in PLAYERS))
    async with running(restored) as worker:
        await worker.until(
            lambda line: line["action"] == "lane.stopped" and "restored behind Kafka" in str(line)
        )
    refused(await restored.type("lanes", "resize", "--lanes", 1, "--reason", "x"), "restored behind Kafka")
    words = ("lanes", "accept-gap", "--reason", "the disk is gone")
    told = await restored.type(*words, "--json")
    assert (told.code, told.json()["accepted"]) == (1, False)
    accepted = await restored.type(*words, "--yes", "--json")
    assert (accepted.code, accepted.json()["gaps"]) == (0, told.json()["gaps"]), accepted.err
    after = await decided(restored, 2, *(deposit(one, "1.00", 2) for one in PLAYERS))
    assert {answer["balance"]["cash"] for answer in after} == {"6.00"}
    assert all(answer["replayed"] for answer in after)
    assert len(before) == len(after)
    await drop(stack, backup.name)
