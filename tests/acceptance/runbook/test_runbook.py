"""docs/runbook.md as it is written: every block is run on a real installation in just the trouble that it is for.

One story, in the order of the tests; a block that nobody tries fails the first of them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processor.devstack import databases
from processor.devstack.stack import KAFKA_BOOTSTRAP, POSTGRES_DSN, POSTGRES_MIGRATOR_DSN, Stack, security_of
from processor.kafka.producing import partition_for
from tests.acceptance.commands.conftest import Installation
from tests.acceptance.commands.test_operating import PROVIDERS, deposit, open_player, play
from tests.acceptance.runbook.blocks import blocks
from tests.acceptance.runbook.house import House
from tests.installations import drop, make_database, make_topics, unique

PLAYERS = [f"player-{number}" for number in range(8)]
LOOK_EVERY_SECONDS = 0.1


@pytest.fixture(scope="module", autouse=True)
def wide_terminal() -> None:
    """Sentences are looked for in what the blocks write; those are no terminals."""


@pytest.fixture(scope="module")
async def house(
    stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Four partitions, two lanes, eight players with ten euros each."""
    database = await make_database(stack, template)
    topics = await make_topics(stack.environment()[KAFKA_BOOTSTRAP], 4, security_of(stack.environment()))
    environment = {
        **stack.environment(),
        **database.environment(),
        **topics.environment(),
        "CROUPIER_SHARDS": "4",
        "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    }
    made = House(Installation(environment, tmp_path_factory.mktemp("runbook")), database.migrator_dsn)
    providers = made.installation.file("providers.toml", PROVIDERS + "missing_bet_wait_seconds = 3600\n")
    assert (await made.installation.type("providers", "apply", providers, "--yes")).code == 0
    made.point_at(CROUPIER_LANES="2")
    await made.decided(*(event for one in PLAYERS for event in (open_player(one), deposit(one, "10.00"))))
    yield made
    await drop(stack, database.name)


def test_every_block_has_a_name_of_its_own_and_is_tried_here() -> None:
    names = [block.name for block in blocks()]
    assert "" not in names
    assert len(names) == len(set(names))
    tried = set(re.findall(r'house\.follow\(\s*"([a-z-]+)"', Path(__file__).read_text()))
    assert tried == set(names)


async def test_the_first_look_and_lag(house: House) -> None:
    async with house.working():
        said = await house.follow("first-look")
        assert "The books are clean" in said
        assert "goes on at" in await house.follow("lag", LANE="0")


async def test_a_stopped_lane_and_poison(house: House) -> None:
    await house.sql("UPDATE lanes SET stopped_reason = 'TooMuchPoison: on order' WHERE lane = 1")
    assert "TooMuchPoison" in await house.follow("stopped-lane", LANE="1")
    await house.sql("UPDATE lanes SET stopped_reason = 'TooMuchPoison: on order' WHERE lane = 0")
    said = await house.follow("poison")
    assert "Lanes that go on: 0" in said
    await house.decided(deposit(PLAYERS[0], "1.00", 2))


async def test_dead_letters(house: House) -> None:
    player = PLAYERS[1]
    bad = house.installation.events(
        "bad.jsonl",
        {**play("bet", player, "typo-1", "1.5"), "amount": 1.5},
        {**play("bet", player, "gems-1", "1.5"), "currency": "GEMS"},
        "junk",
    )
    house.installation.file("corrected.json", json.dumps(play("bet", player, "typo-1", "1.50")))
    async with house.working():
        words = ("send", bad, "--force-as-is", "--wait", "--json", "--timeout-seconds", 120)
        refused = (await house.installation.type(*words)).json_lines()
        typo, _, junk = (one["headers"]["wallet-dlq-id"] for one in refused)
        await house.follow("dead-letters", ID=typo, JUNK=junk)
    exported = (house.installation.directory / "letters.jsonl").read_text().splitlines()
    assert {json.loads(line)["letter_id"] for line in exported} >= {typo, junk}
    history = (await house.installation.type("history", player, "--json", "--type", "bet")).json()
    assert [one["transaction_id"] for one in history["transactions"]] == ["typo-1"]


async def test_parked_events(house: House) -> None:
    player = PLAYERS[2]
    async with house.working():
        waits = house.installation.events(
            "waits.jsonl", play("win", player, "win-1", "3.00", reference="late")
        )
        assert (await house.installation.type("send", waits)).code == 0
        (event,) = await _parked(house, 1)
        await house.follow("parked", NUMBER=str(event["number"]))
        await _parked(house, 0)


async def test_a_fault_that_the_audit_finds_and_a_result_that_is_made_up_for(house: House) -> None:
    await house.follow("audit-fault")
    assert json.loads((house.installation.directory / "audit.json").read_text())["clean"] is True
    await _lose_a_result(house)
    await house.follow("audit-fault")
    told = json.loads((house.installation.directory / "audit.json").read_text())
    faults = {one["name"] for one in told["proofs"] if one["fault"]}
    assert faults == {"results.first_published", "results.batches"}
    async with house.working():
        await house.answered(deposit(PLAYERS[4], "1.00", 10))
        said = await house.follow("audit-repair")
    assert "Results told again: 1." in said
    assert "The books are clean" in said


async def _lose_a_result(house: House) -> None:
    """A batch that is applied and never published is noted as published, as by a receipt that a person set too high."""
    event = house.installation.events("lost.jsonl", deposit(PLAYERS[4], "1.00", 9))
    assert (await house.installation.type("send", event)).code == 0
    async with house.refusing(CROUPIER_TROUBLE="kill:9:before:+1") as worker:
        await worker.rest()
    await house.sql("UPDATE lanes SET published_seq = applied_seq WHERE retired_at IS NULL")
    await house.sql("DELETE FROM journal")


async def test_backup_and_restore(house: House, stack: Stack) -> None:
    await house.follow("backup")
    name = unique("restored")
    migrator = await databases.create_database(stack.environment()[POSTGRES_MIGRATOR_DSN], name)
    worker = databases.with_database(stack.environment()[POSTGRES_DSN], name)
    said = await house.follow("restore", RESTORED_MIGRATOR_DSN=migrator, RESTORED_DSN=worker)
    assert "The books are clean, proved from the beginning." in said
    await house.decided(*(deposit(one, "1.00", 3) for one in PLAYERS))
    await _go_on_with_the_restored_one(house, migrator, worker)
    await house.sql("SELECT 1")


async def _go_on_with_the_restored_one(house: House, migrator: str, worker: str) -> None:
    """The backup is older than what was published since: the story goes on with it."""
    house.point_at(**{POSTGRES_DSN: worker, POSTGRES_MIGRATOR_DSN: migrator})
    house.migrator_dsn = migrator


async def test_a_database_behind_kafka(house: House) -> None:
    async with house.refusing() as worker:
        await worker.until(
            lambda line: line["action"] == "lane.stopped" and "restored behind Kafka" in str(line)
        )
    await house.follow("behind-kafka")
    answers = await house.decided(*(deposit(one, "1.00", 3) for one in PLAYERS))
    assert {answer["replayed"] for answer in answers} == {True}
    await house.follow("behind-kafka-proof")


async def test_a_lost_receipt(house: House) -> None:
    """The topics no longer tell: the row is given a last record that they never had."""
    (row,) = await house.sql(
        "UPDATE lanes SET stopped_reason = 'ReceiptUnknown: on order', witness_seq = 1000000 "
        "WHERE lane = 0 AND retired_at IS NULL RETURNING applied_seq"
    )
    await house.follow("lost-receipt", LANE="0", BATCH=str(row["applied_seq"]))
    await house.decided(deposit(PLAYERS[0], "1.00", 4))
    await house.proved()


async def test_more_lanes_more_partitions_and_a_player_who_moves(house: House) -> None:
    await house.follow("more-lanes", LANES="4")
    house.lanes = 4
    house.point_at(CROUPIER_LANES="4")
    await house.decided(*(deposit(one, "1.00", 5) for one in PLAYERS))
    await house.follow("more-partitions", PARTITIONS="8")
    house.point_at(CROUPIER_PARTITIONS="8")
    answers = await house.decided(*(deposit(one, "1.00", 6) for one in PLAYERS))
    homes = {answer["player_id"]: answer["source"]["partition"] for answer in answers}
    assert homes == {one: partition_for(one.encode(), 8) for one in PLAYERS}
    await house.follow("move-player", PLAYER=PLAYERS[3])
    await house.decided(deposit(PLAYERS[3], "1.00", 7))
    await house.proved()


async def test_another_cluster(house: House, stack: Stack) -> None:
    """Topics of the same names that were made again are another cluster's for all that a worker can see."""
    await house.follow("leave-cluster")
    await house.forget_topics(stack.environment()[KAFKA_BOOTSTRAP], security_of(stack.environment()))
    await house.follow("enter-cluster")
    answers = await house.decided(*(deposit(one, "1.00", number) for one in PLAYERS for number in (6, 8)))
    assert [answer["replayed"] for answer in answers] == [True, False] * len(PLAYERS)
    await house.proved()


async def _parked(house: House, number: int) -> list[dict[str, object]]:
    async with asyncio.timeout(60):
        while True:
            found: list[dict[str, object]] = (
                await house.installation.type("parked", "list", "--json")
            ).json()["events"]
            if len(found) == number:
                return found
            await asyncio.sleep(LOOK_EVERY_SECONDS)
